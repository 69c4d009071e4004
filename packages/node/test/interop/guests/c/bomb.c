/* Takes all memory it can get. */
#include "host.h"

static char room[1024];
EXPORT("alloc") void *host_alloc(host_size size) { return size <= sizeof room ? room : 0; }

#define PAGE 65536

/* Grows page by page, touching each, until refused; then traps. */
EXPORT("grow") int grow(int rid) {
  (void)rid;
  for (;;) {
    int page = (int)__builtin_wasm_memory_grow(0, 1);
    if (page < 0) __builtin_trap();
    *(volatile char *)((unsigned long)page * PAGE) = 1;
  }
}

/* Grows until refused and returns the pages it then has. */
EXPORT("measure") int measure(int rid) {
  (void)rid;
  /* The builtin's type is unsigned, the refusal is −1. */
  while ((int)__builtin_wasm_memory_grow(0, 16) >= 0) {
  }
  return __builtin_wasm_memory_size(0);
}

/* Pages at the start of a call; the same each time when memory does not leak between calls. */
EXPORT("pages") int pages(int rid) {
  (void)rid;
  return __builtin_wasm_memory_size(0);
}
