/* Hands wild pointers to every host function. Each handler returns the number of calls that were accepted although they
 * should have been refused: 0 is right. */
#include "host.h"

static char room[4096];
EXPORT("alloc") void *host_alloc(host_size size) { return size <= sizeof room ? room : 0; }

#define WILD ((void *)0xfffffff0u)
#define HUGE ((host_size)0xffffffffu)

/* Inputs that lie outside of memory. */
EXPORT("wild_inputs") int wild_inputs(int rid) {
  void *ptr;
  host_size size;
  int accepted = 0;
  accepted += ws_log(4, WILD, 64) == 0;
  accepted += ws_log(4, room, HUGE) == 0;
  accepted += ws_set_data(rid, WILD, 64) == 0;
  accepted += ws_get_db(WILD, 64, &ptr, &size) == 0;
  accepted += ws_set_db(WILD, 64, "v", 1) == 0;
  accepted += ws_set_db("k", 1, WILD, 64) == 0;
  accepted += ws_set_sql_db(WILD, 64) == 0;
  accepted += ws_get_sql_db(WILD, 64, &ptr, &size) == 0;
  accepted += ws_get_env(WILD, 64, &ptr, &size) == 0;
  accepted += ws_send_tx(1, WILD, 64, &ptr, &size) == 0;
  accepted += ws_send_tx_with_operator(1, WILD, 64, &ptr, &size) == 0;
  accepted += ws_call_contract(1, WILD, 64, &ptr, &size) == 0;
  accepted += ws_send_mqtt_msg(WILD, 64, "m", 1) == 0;
  accepted += ws_send_mqtt_msg("t", 1, WILD, 64) == 0;
  accepted += ws_api_call(WILD, 64, &ptr, &size) == 0;
  accepted += ws_submit_metrics(WILD, 64) == 0;
  return accepted;
}

/* Out-parameters that lie outside of memory. */
EXPORT("wild_outputs") int wild_outputs(int rid) {
  void *ptr;
  host_size size;
  int accepted = 0;
  accepted += ws_get_data(rid, WILD, &size) == 0;
  accepted += ws_get_data(rid, &ptr, (host_size *)0xfffffffeu) == 0;
  accepted += ws_get_mqtt_msg(rid, WILD, &size, &ptr, &size) == 0;
  return accepted;
}

/* Requests that are not JSON. */
EXPORT("bad_json") int bad_json(int rid) {
  (void)rid;
  void *ptr;
  host_size size;
  int accepted = 0;
  accepted += ws_set_sql_db("{", 1) == 0;
  accepted += ws_get_sql_db("[]", 2, &ptr, &size) == 0;
  accepted += ws_send_tx(1, "nil", 3, &ptr, &size) == 0;
  accepted += ws_send_tx_with_operator(1, "7", 1, &ptr, &size) == 0;
  accepted += ws_call_contract(1, "\"", 1, &ptr, &size) == 0;
  accepted += ws_submit_metrics("[1]", 3) == 0;
  return accepted;
}

/* Data of a resource that this call was not given: 2 is right. */
EXPORT("foreign_rid") int foreign_rid(int rid) {
  void *ptr;
  host_size size;
  return ws_get_data(rid ^ 1, &ptr, &size);
}
