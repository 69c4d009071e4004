/* A device maker's applet in C: takes a number out of JSON, keeps the highest seen. A WASI reactor with wasi-libc. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

EXPORT("alloc") void *host_alloc(size_t size) { return malloc(size); }

static void log_line(int level, const char *line) { ws_log(level, line, strlen(line)); }

/* Set by a constructor, which runs in `_initialize` only. */
static int initialised;
__attribute__((constructor)) static void initialise(void) { initialised = 1; }

/* The payload of an event as text of its own, or NULL. */
static char *payload_of(int rid) {
  char *data = NULL;
  host_size size = 0;
  if (ws_get_data(rid, &data, &size) != 0) return NULL;
  char *text = malloc(size + 1);
  if (!text) return NULL;
  memcpy(text, data, size);
  text[size] = 0;
  free(data);
  return text;
}

/* The number behind `"name":` in a flat JSON object. */
static int number_of(const char *json, const char *name, double *number) {
  char quoted[64];
  if (snprintf(quoted, sizeof quoted, "\"%s\"", name) >= (int)sizeof quoted) return 0;
  const char *at = strstr(json, quoted);
  if (!at) return 0;
  int skipped = 0;
  sscanf(at + strlen(quoted), " : %n", &skipped);
  if (skipped == 0) return 0;
  const char *begin = at + strlen(quoted) + skipped;
  char *end = NULL;
  *number = strtod(begin, &end);
  return end != begin;
}

static double stored_maximum(void) {
  void *data = NULL;
  host_size size = 0;
  double maximum = -1e308;
  if (ws_get_db("max", 3, &data, &size) == 0 && size == sizeof maximum) memcpy(&maximum, data, sizeof maximum);
  return maximum;
}

/* {"temperature": n}: logs it with two digits and keeps the highest under the key `max`, as a little-endian double. */
EXPORT("handle_reading") int handle_reading(int rid) {
  char *json = payload_of(rid);
  double temperature;
  char line[96];
  if (!json || !number_of(json, "temperature", &temperature)) {
    log_line(2, "no temperature in the message");
    return -1;
  }
  double maximum = stored_maximum();
  if (temperature > maximum) maximum = temperature;
  if (ws_set_db("max", 3, &maximum, sizeof maximum) != 0) return -2;
  snprintf(line, sizeof line, "temperature %.2f, highest %.2f", temperature, maximum);
  log_line(4, line);
  printf("%s\n", line);
  free(json);
  return 0;
}

/* 1 when `_initialize` ran before this call, else 0. */
EXPORT("was_initialised") int was_initialised(int rid) {
  (void)rid;
  return initialised;
}

/* How often this instance was called: 1 each time when every call sees fresh memory. */
EXPORT("count_calls") int count_calls(int rid) {
  static int calls;
  (void)rid;
  return ++calls;
}
