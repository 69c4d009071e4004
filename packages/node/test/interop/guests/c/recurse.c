/* Exhausts the stack, in the guest and through the host. */
#include "host.h"

static char room[1024];
static int reentering;
static int current;

EXPORT("alloc") void *host_alloc(host_size size) {
  if (reentering) {
    void *ptr;
    host_size length;
    ws_get_data(current, &ptr, &length);
  }
  return size <= sizeof room ? room : 0;
}

static volatile int wanted = 1;

/* Not a tail call: the sum needs each frame. */
static __attribute__((noinline)) int descend(int depth) { return wanted ? descend(depth + 1) + wanted : depth; }

EXPORT("recurse") int recurse(int rid) {
  (void)rid;
  return descend(0);
}

/* `alloc` asks the host for data, for which the host would call `alloc`, and so on: must end. */
EXPORT("reenter") int reenter(int rid) {
  void *ptr;
  host_size size;
  reentering = 1;
  current = rid;
  return ws_get_data(rid, &ptr, &size);
}
