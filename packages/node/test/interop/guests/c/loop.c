/* Never ends. */
#include "host.h"

static char room[1024];
EXPORT("alloc") void *host_alloc(host_size size) { return size <= sizeof room ? room : 0; }

/* A loop without a call in it. */
EXPORT("spin") int spin(int rid) {
  volatile int turns = rid;
  for (;;) turns++;
}

/* A loop that goes through the host each turn. */
EXPORT("spin_calling") int spin_calling(int rid) {
  void *ptr;
  host_size size;
  for (;;) ws_get_data(rid, &ptr, &size);
}

/* Ends at once: shows that the module is still of use after the others were stopped. */
EXPORT("pass") int pass(int rid) {
  (void)rid;
  return 0;
}
