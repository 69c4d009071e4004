/* Has an `alloc` that answers with nonsense: what the payload says. */
#include "host.h"

static int mode;
static char room[64];

EXPORT("alloc") void *host_alloc(host_size size) {
  (void)size;
  if (mode == 1) return (void *)0xfffffff0u;
  if (mode == 2) __builtin_trap();
  if (mode == 3) {
    void *ptr;
    host_size length;
    ws_get_data(7, &ptr, &length);
    ws_get_db("key", 3, &ptr, &length);
  }
  return room;
}

static int ask(int rid, int how) {
  void *ptr;
  host_size size;
  mode = how;
  return ws_get_data(rid, &ptr, &size);
}

/* `alloc` points outside of memory: 5 is right. */
EXPORT("alloc_outside") int alloc_outside(int rid) { return ask(rid, 1); }

/* `alloc` traps: 5 is right. */
EXPORT("alloc_traps") int alloc_traps(int rid) { return ask(rid, 2); }

/* `alloc` calls the host while the host waits for it. */
EXPORT("alloc_calls_host") int alloc_calls_host(int rid) { return ask(rid, 3); }
