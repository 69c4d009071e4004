/* The host's functions, as a C kit would declare them. */
#ifndef GUEST_HOST_H
#define GUEST_HOST_H

#define HOST(module, name) __attribute__((import_module(module), import_name(name))) extern
#define EXPORT(name) __attribute__((export_name(name)))

typedef __SIZE_TYPE__ host_size;

HOST("env", "ws_log") int ws_log(int level, const void *ptr, host_size size);
HOST("env", "ws_get_data") int ws_get_data(int rid, void *ptr, host_size *size);
HOST("env", "ws_set_data") int ws_set_data(int rid, const void *ptr, host_size size);
HOST("env", "ws_get_db") int ws_get_db(const void *key, host_size key_size, void *ptr, host_size *size);
HOST("env", "ws_set_db") int ws_set_db(const void *key, host_size key_size, const void *ptr, host_size size);
HOST("env", "ws_set_sql_db") int ws_set_sql_db(const void *ptr, host_size size);
HOST("env", "ws_get_sql_db") int ws_get_sql_db(const void *request, host_size request_size, void *ptr, host_size *size);
HOST("env", "ws_get_env") int ws_get_env(const void *key, host_size key_size, void *ptr, host_size *size);
HOST("env", "ws_send_tx") int ws_send_tx(int chain, const void *tx, host_size tx_size, void *ptr, host_size *size);
HOST("env", "ws_send_tx_with_operator")
int ws_send_tx_with_operator(int chain, const void *tx, host_size tx_size, void *ptr, host_size *size);
HOST("env", "ws_call_contract")
int ws_call_contract(int chain, const void *call, host_size call_size, void *ptr, host_size *size);
HOST("env", "ws_send_mqtt_msg")
int ws_send_mqtt_msg(const void *topic, host_size topic_size, const void *ptr, host_size size);
HOST("env", "ws_get_mqtt_msg")
int ws_get_mqtt_msg(int rid, void *topic, host_size *topic_size, void *ptr, host_size *size);
HOST("env", "ws_api_call") int ws_api_call(const void *request, host_size request_size, void *ptr, host_size *size);
HOST("stat", "ws_submit_metrics") int ws_submit_metrics(const void *ptr, host_size size);

#endif
