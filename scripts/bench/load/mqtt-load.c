/*
 * A publisher for load tests: QoS 1 over loopback, MQTT 3.1.1, one thread, bounded in time, connections and messages on
 * their way. The payload is a template: the four digits at DIGITS_AT become the number of the connection.
 *
 * Usage: mqtt-load PORT CONNECTIONS WINDOW SECONDS TOPIC PAYLOAD_FILE DIGITS_AT
 *   WINDOW    unacknowledged messages per connection
 *   SECONDS   how long messages are sent; what is on its way then is waited for, but counts no more
 * Environment: MQTT_USER, MQTT_PASSWORD.
 * Prints one line of JSON: connections, sent, acked (within SECONDS), unanswered, seconds, p50us, p99us.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OUT_BYTES = 65536, IN_BYTES = 16384, MAX_PACKET = 16384, PACKET_IDS = 65536 };
enum { BUCKET_US = 20, BUCKETS = 500000 };        /* latencies up to 10 s */
static const double connect_seconds = 20, drain_seconds = 20;

struct connection {
  int fd, ready, window;
  uint16_t last_id;
  size_t out_begin, out_end, in_end;
  uint8_t out[OUT_BYTES], in[IN_BYTES];
  uint32_t sent_us[PACKET_IDS];                   /* when each packet identifier was last sent */
};

static struct connection *connections;
static int count, window, epoll_fd, ready;
static uint8_t packet[MAX_PACKET];                /* a PUBLISH, all but identifier and digits */
static size_t packet_length, id_at, digits_at;
static double began;
static long sent, acked, on_the_way;
static uint32_t histogram[BUCKETS];

static void die(const char *what) { perror(what); exit(1); }

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static uint32_t now_us(void) { return (uint32_t)((now() - began) * 1e6); }

static size_t put_length(uint8_t *to, size_t length) {
  size_t n = 0;
  do {
    to[n] = length % 128 | (length >= 128 ? 128 : 0);
    length /= 128;
    n++;
  } while (length > 0);
  return n;
}

static size_t put_text(uint8_t *to, const char *text) {
  size_t length = strlen(text);
  to[0] = length >> 8;
  to[1] = length & 255;
  memcpy(to + 2, text, length);
  return length + 2;
}

static void make_packet(const char *topic, const char *file, size_t at) {
  static char payload[MAX_PACKET / 2];
  FILE *f = fopen(file, "rb");
  if (!f) die(file);
  size_t size = fread(payload, 1, sizeof payload, f);
  fclose(f);
  if (strlen(topic) > 4096 || at + 4 > size) { fprintf(stderr, "topic or payload does not fit\n"); exit(1); }
  size_t n = 0;
  packet[n++] = 0x32;                             /* PUBLISH, QoS 1 */
  n += put_length(packet + n, 2 + strlen(topic) + 2 + size);
  n += put_text(packet + n, topic);
  id_at = n;
  n += 2;
  digits_at = n + at;
  memcpy(packet + n, payload, size);
  packet_length = n + size;
}

static void put_connect(struct connection *c, int number) {
  const char *user = getenv("MQTT_USER"), *password = getenv("MQTT_PASSWORD");
  char client[32];
  uint8_t body[8192];
  size_t n = 0;
  if ((user && strlen(user) > 2048) || (password && strlen(password) > 4096)) exit(1);
  snprintf(client, sizeof client, "load-%d", number);
  memcpy(body, "\0\4MQTT\4", 7);
  body[7] = 2 | (user ? 0x80 : 0) | (password ? 0x40 : 0);   /* clean session */
  body[8] = body[9] = 0;                                      /* no keep-alive */
  n = 10 + put_text(body + 10, client);
  if (user) n += put_text(body + n, user);
  if (password) n += put_text(body + n, password);
  c->out[c->out_end++] = 0x10;
  c->out_end += put_length(c->out + c->out_end, n);
  memcpy(c->out + c->out_end, body, n);
  c->out_end += n;
}

static void open_connection(int number, int port) {
  struct connection *c = &connections[number];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) die("socket");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) die("connect");
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = number};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0) die("epoll_ctl");
  put_connect(c, number);
}

static void fill(struct connection *c, int number) {
  if (c->out_begin == c->out_end) c->out_begin = c->out_end = 0;
  while (c->window < window && c->out_end + packet_length <= OUT_BYTES) {
    uint8_t *to = c->out + c->out_end;
    if (++c->last_id == 0) c->last_id = 1;
    memcpy(to, packet, packet_length);
    to[id_at] = c->last_id >> 8;
    to[id_at + 1] = c->last_id & 255;
    for (int i = 3, n = number; i >= 0; i--, n /= 10) to[digits_at + i] = '0' + n % 10;
    c->sent_us[c->last_id] = now_us();
    c->out_end += packet_length;
    c->window++;
    on_the_way++;
    sent++;
  }
}

static void flush_out(struct connection *c) {
  while (c->out_begin < c->out_end) {
    ssize_t n = write(c->fd, c->out + c->out_begin, c->out_end - c->out_begin);
    if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
    if (n < 0) die("write");
    c->out_begin += n;
  }
}

static void take_packet(struct connection *c, const uint8_t *p) {
  if (p[0] >> 4 == 2) {
    if (p[3] != 0) { fprintf(stderr, "connection refused: %d\n", p[3]); exit(1); }
    c->ready = 1;
    ready++;
  } else if (p[0] >> 4 == 4) {
    uint32_t bucket = (now_us() - c->sent_us[p[2] << 8 | p[3]]) / BUCKET_US;
    histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    c->window--;
    on_the_way--;
    acked++;
  }
}

static void receive(struct connection *c) {
  for (;;) {
    ssize_t n = read(c->fd, c->in + c->in_end, IN_BYTES - c->in_end);
    if (n == 0) { fprintf(stderr, "the server closed a connection\n"); exit(1); }
    if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
    if (n < 0) die("read");
    c->in_end += n;
    size_t at = 0;
    /* CONNACK and PUBACK: two bytes of header, length below 128 */
    while (c->in_end - at >= 4 && c->in_end - at >= 2u + c->in[at + 1]) {
      take_packet(c, c->in + at);
      at += 2 + c->in[at + 1];
    }
    memmove(c->in, c->in + at, c->in_end - at);
    c->in_end -= at;
  }
}

static void turn(int sending) {
  struct epoll_event events[512];
  int n = epoll_wait(epoll_fd, events, 512, 20);
  for (int i = 0; i < n; i++) {
    struct connection *c = &connections[events[i].data.u32];
    receive(c);
    if (sending && c->ready) fill(c, events[i].data.u32);
    flush_out(c);
  }
}

static long percentile(double share) {
  long total = 0, seen = 0;
  for (int i = 0; i < BUCKETS; i++) total += histogram[i];
  for (int i = 0; i < BUCKETS; i++) {
    seen += histogram[i];
    if (seen > 0 && seen >= total * share) return (long)(i + 1) * BUCKET_US;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 8) { fprintf(stderr, "usage: mqtt-load PORT CONNECTIONS WINDOW SECONDS TOPIC PAYLOAD_FILE DIGITS_AT\n"); return 2; }
  int port = atoi(argv[1]);
  count = atoi(argv[2]);
  window = atoi(argv[3]);
  double seconds = atof(argv[4]);
  if (count < 1 || count > 9999 || window < 1 || window > 60000 || seconds <= 0) return 2;
  make_packet(argv[5], argv[6], atoi(argv[7]));
  connections = calloc(count, sizeof *connections);
  epoll_fd = epoll_create1(0);
  if (!connections || epoll_fd < 0) die("setup");
  for (int i = 0; i < count; i++) open_connection(i, port);
  double limit = now() + connect_seconds;
  while (ready < count && now() < limit) turn(0);
  if (ready < count) { fprintf(stderr, "%d of %d connections\n", ready, count); return 1; }
  began = now();
  for (int i = 0; i < count; i++) {
    fill(&connections[i], i);
    flush_out(&connections[i]);
  }
  while (now() - began < seconds) turn(1);
  double elapsed = now() - began;
  long in_time = acked;
  while (on_the_way > 0 && now() - began < seconds + drain_seconds) turn(0);
  printf("{\"connections\":%d,\"sent\":%ld,\"acked\":%ld,\"unanswered\":%ld,\"seconds\":%.4f,\"p50us\":%ld,\"p99us\":%ld}\n",
         count, sent, in_time, on_the_way, elapsed, percentile(0.5), percentile(0.99));
  return 0;
}
