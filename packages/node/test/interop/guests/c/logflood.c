/* Writes more log than anybody wants. */
#include "host.h"

static char room[1 << 20];
EXPORT("alloc") void *host_alloc(host_size size) { return size <= sizeof room ? room : 0; }

/* 100,000 short lines, numbered; returns 0. */
EXPORT("many") int many(int rid) {
  (void)rid;
  char line[] = "line 00000";
  for (int n = 0; n < 100000; n++) {
    for (int digit = 9, rest = n; digit > 4; digit--, rest /= 10) line[digit] = '0' + rest % 10;
    ws_log(4, line, sizeof line - 1);
  }
  return 0;
}

/* One line of a mebibyte. */
EXPORT("long_line") int long_line(int rid) {
  (void)rid;
  for (host_size at = 0; at < sizeof room; at++) room[at] = 'x';
  return ws_log(4, room, sizeof room);
}

/* Bytes that are not UTF-8, a level that does not exist, an empty line at address 0. */
EXPORT("odd") int odd(int rid) {
  (void)rid;
  static const unsigned char bytes[] = {'a', 0xff, 0xc3, 0x28, 0, 'b'};
  return ws_log(4, bytes, sizeof bytes) | ws_log(99, "level", 5) | ws_log(4, 0, 0);
}
