/* Files through wasi-libc: reads assets and input, keeps a journal in /data, lists and renames, tries to leave. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

EXPORT("alloc") void *host_alloc(size_t size) { return malloc(size); }

static int log_line(const char *line) {
  ws_log(4, line, strlen(line));
  return 0;
}

/* The first bytes of a file, newlines as commas, the last left out; the name of the error when it cannot be read. */
static const char *contents(const char *path, char *into, size_t size) {
  FILE *file = fopen(path, "r");
  if (!file) return strerror(errno);
  size_t length = fread(into, 1, size - 1, file);
  fclose(file);
  while (length > 0 && into[length - 1] == '\n') length--;
  into[length] = 0;
  for (char *at = into; *at; at++)
    if (*at == '\n') *at = ',';
  return into;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static const char *names(const char *path, char *into) {
  char *found[64];
  int count = 0;
  DIR *directory = opendir(path);
  if (!directory) return strerror(errno);
  for (struct dirent *entry; count < 64 && (entry = readdir(directory));)
    if (entry->d_name[0] != '.') {
      char *name = malloc(strlen(entry->d_name) + 2);
      strcpy(name, entry->d_name);
      if (entry->d_type == DT_DIR) strcat(name, "/");
      found[count++] = name;
    }
  closedir(directory);
  qsort(found, count, sizeof *found, by_name);
  into[0] = 0;
  for (int i = 0; i < count; i++) {
    if (i) strcat(into, " ");
    strcat(into, found[i]);
  }
  return into;
}

EXPORT("keep_journal") int keep_journal(int rid) {
  (void)rid;
  char payload[256], journal[4096], words[256], line[8192];
  contents("/input/payload", payload, sizeof payload);
  mkdir("/data/journal", 0777);
  FILE *file = fopen("/data/journal/today", "a");
  if (!file) return log_line(strerror(errno)) - 1;
  fprintf(file, "%s\n", payload);
  if (fclose(file) != 0) return log_line(strerror(errno)) - 1;
  snprintf(line, sizeof line, "%s %s", contents("/data/journal/today", journal, sizeof journal),
           contents("/assets/words.txt", words, sizeof words));
  return log_line(line);
}

EXPORT("juggle_files") int juggle_files(int rid) {
  (void)rid;
  char rest[64] = "", left[256], after[256], text[64], line[1024];
  struct stat status;
  if (mkdir("/tmp/a", 0777) != 0 || mkdir("/tmp/a/b", 0777) != 0) return log_line(strerror(errno)) - 1;
  FILE *file = fopen("/tmp/a/b/f", "w+");
  if (!file) return log_line(strerror(errno)) - 1;
  fputs("hello world", file);
  fseek(file, 6, SEEK_SET);
  fputc('W', file);
  fseek(file, -5, SEEK_END);
  rest[fread(rest, 1, sizeof rest - 1, file)] = 0;
  if (ftruncate(fileno(file), 5) != 0) return log_line(strerror(errno)) - 1;
  fclose(file);
  if (rename("/tmp/a/b/f", "/tmp/h") != 0 || stat("/tmp/h", &status) != 0) return log_line(strerror(errno)) - 1;
  names("/tmp", left);
  if (rmdir("/tmp/a") == 0 || errno != ENOTEMPTY) return log_line("removed what was not empty") - 1;
  if (rmdir("/tmp/a/b") != 0 || rmdir("/tmp/a") != 0) return log_line(strerror(errno)) - 1;
  snprintf(line, sizeof line, "%s %s %d %s %s", rest, contents("/tmp/h", text, sizeof text), (int)status.st_size, left,
           names("/tmp", after));
  return log_line(line);
}

static const char *refused(int failed) { return failed ? "refused" : "allowed"; }

EXPORT("try_to_escape") int try_to_escape(int rid) {
  (void)rid;
  char line[256];
  snprintf(line, sizeof line, "%s %s %s %s %s %s %s", refused(open("/etc/passwd", O_RDONLY) < 0),
           refused(open("/data/../../etc/passwd", O_RDONLY) < 0), refused(open("../etc/passwd", O_RDONLY) < 0),
           refused(open("/assets/new", O_WRONLY | O_CREAT, 0666) < 0), refused(unlink("/input/payload") != 0),
           refused(symlink("/etc/passwd", "/data/link") != 0), refused(opendir("/") == NULL));
  return log_line(line);
}

EXPORT("write_and_crash") int write_and_crash(int rid) {
  (void)rid;
  FILE *file = fopen("/data/half", "w");
  if (!file) return -1;
  fputs("x", file);
  fclose(file);
  __builtin_trap();
}

EXPORT("list_data") int list_data(int rid) {
  (void)rid;
  char left[1024];
  return log_line(names("/data", left));
}
