// Many browsers in one process: connects WebSocket clients, answers pings, reads what comes and counts it. It does no more than the
// kernel makes it do, so that a figure is the server's and not its reader's. Commands come on standard input, one answer in JSON a
// line leaves on standard output.
//
//   sink <port> <request file> <hello file> <sample every>      with a + before its name the hello goes at once, not after a first message
//
//   connect <count> <window>   opens so many more, at most `window` of them under way; answers when each has its first message
//   mark                       from now on the ages of what the open clients read are noted
//   snap                       counters since the start, ages since the last snap
//   stop|slow <every> <rest>   clients whose number modulo `every` is `rest` stop reading, or read 1 KB a second
//   resume                     all of them read again; the ages of what they read are noted apart
//   recover                    how long those took until they had read something younger than their resuming
//   close                      ends all connections
//
// A message carries its moment in its count: "online_count" is the wall clock in units of 100 us, modulo 10^9. Of every `sample
// every`th client each message is looked at, of the others only the frames' heads.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 20000, AGES = 300000, BUFFER = 1 << 18, ROOMS = 64, PER_ADDRESS = 5000, SLOW_BYTES = 1024 };
enum state { FREE, CONNECTING, UPGRADING, OPEN, GONE };
enum reading { NORMAL, STOPPED, SLOW };

struct client {
  int fd, number;
  uint8_t state, reading, live, sampled, resumed, heard;
  uint8_t head[14], headLength, control[125];
  uint8_t opcode;
  uint64_t left;
  uint32_t controlLength, greeted;
  int64_t startedUs, resumedUs, recoveredUs;
  uint32_t *newest;
};

static struct client clients[CLIENTS_MAX];
static int count, epollFd, port, sampleEvery, open_, failed, closed, underWay, wanted, window_, isSlow, isHelloAtOnce;
static uint64_t bytes, frames, messages, reads, pings, sampledBytes, sampledMessages, regressions, closeFrames;
static uint32_t ages[AGES], firsts[AGES];
static uint64_t agesCount, firstsCount;
static char request[16384], hello[16384], buffer[BUFFER + 1];
static size_t requestLength, helloLength;
static int64_t connectStartedUs;

static int64_t clockUs(clockid_t which) {
  struct timespec now;
  clock_gettime(which, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
static int64_t nowUs(void) { return clockUs(CLOCK_MONOTONIC); }

static void watch(struct client *c, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  epoll_ctl(epollFd, EPOLL_CTL_MOD, c->fd, &event);
}

static void settle(struct client *c, int isGood) {
  if (c->state == CONNECTING || c->state == UPGRADING) underWay--;
  if (!isGood) failed++;
}

static void gone(struct client *c) {
  if (c->state == FREE || c->state == GONE) return;
  if (!c->heard) settle(c, 0);
  if (c->state == OPEN) { open_--; closed++; if (!c->heard) underWay--; }
  c->state = GONE;
  close(c->fd);
}

static void note(uint32_t *table, uint64_t *n, int64_t us) {
  int64_t at = us / 100;
  table[at < 0 ? 0 : at >= AGES ? AGES - 1 : at]++;
  (*n)++;
}

/** The first message has come: this one is in. */
static void firstMessage(struct client *c, int64_t atUs) {
  c->heard = 1;
  underWay--;
  note(firsts, &firstsCount, atUs - c->startedUs);
}

static void openOne(void) {
  struct client *c = &clients[count];
  memset(c, 0, sizeof *c);
  c->number = count++;
  c->sampled = c->number % sampleEvery == 0;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  underWay++;
  c->startedUs = nowUs();
  if (c->fd < 0) { c->state = GONE; underWay--; failed++; return; }
  int one = 1;
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct sockaddr_in mine = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000102 + c->number / PER_ADDRESS + 16 * (getpid() % 4096))};
  bind(c->fd, (struct sockaddr *)&mine, sizeof mine);
  struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001)};
  c->state = CONNECTING;
  struct epoll_event event = {.events = EPOLLOUT, .data.ptr = c};
  epoll_ctl(epollFd, EPOLL_CTL_ADD, c->fd, &event);
  if (connect(c->fd, (struct sockaddr *)&there, sizeof there) < 0 && errno != EINPROGRESS) gone(c);
}

/** Looks at each message in these bytes: which room, how old. A message that two reads share is passed over. */
static void look(struct client *c, const char *from, size_t length) {
  static const char slug[] = "\"room_slug\":\"room", stamp[] = "\"online_count\":";
  int64_t wall = clockUs(CLOCK_REALTIME) / 100 % 1000000000;
  const char *at = from, *end = from + length;
  sampledBytes += length;
  while ((at = memmem(at, end - at, slug, sizeof slug - 1)) != NULL) {
    at += sizeof slug - 1;
    sampledMessages++;
    if (!c->live && !c->resumed) continue;
    long room = strtol(at, NULL, 10);
    size_t reach = end - at < 300 ? end - at : 300;
    const char *value = memmem(at, reach, stamp, sizeof stamp - 1);
    if (value == NULL) continue;
    uint32_t then = strtoul(value + sizeof stamp - 1, NULL, 10);
    int64_t age = (wall - then + 1000000000) % 1000000000;
    if (age > 500000000) age = 0; // two clocks of one machine, read in another order
    if (room >= 0 && room < ROOMS) {
      if (c->newest == NULL) c->newest = calloc(ROOMS, sizeof *c->newest);
      if (then < c->newest[room]) regressions++;
      c->newest[room] = then;
    }
    if (!c->resumed) note(ages, &agesCount, age * 100);
    else if (c->recoveredUs == 0 && nowUs() - age * 100 >= c->resumedUs) c->recoveredUs = nowUs() - c->resumedUs;
  }
}

static void answerPing(struct client *c) {
  uint8_t pong[6 + 125] = {0x8a, 0x80 | c->controlLength};
  memcpy(pong + 6, c->control, c->controlLength); // masked with zeros
  if (send(c->fd, pong, 6 + c->controlLength, MSG_NOSIGNAL) < 0) return;
  pings++;
}

static void frameEnds(struct client *c, int64_t atUs) {
  frames++;
  if (c->opcode == 9) answerPing(c);
  else if (c->opcode == 8) closeFrames++;
  else {
    messages++;
    if (!c->heard) firstMessage(c, atUs);
    if (helloLength > 0 && c->greeted == 0) { c->greeted = 1; send(c->fd, hello, helloLength, MSG_NOSIGNAL); }
  }
}

static void parse(struct client *c, const uint8_t *at, size_t length, int64_t atUs) {
  while (length > 0) {
    if (c->left > 0) {
      size_t take = length < c->left ? length : c->left;
      if (c->opcode >= 8 && c->controlLength + take <= sizeof c->control) {
        memcpy(c->control + c->controlLength, at, take);
        c->controlLength += take;
      }
      at += take, length -= take, c->left -= take;
      if (c->left == 0) frameEnds(c, atUs);
      continue;
    }
    c->head[c->headLength++] = *at++, length--;
    uint8_t second = c->head[1] & 0x7f;
    uint8_t need = c->headLength < 2 ? 2 : second == 126 ? 4 : second == 127 ? 10 : 2;
    if (c->headLength < need) continue;
    c->left = need == 2 ? second : 0;
    for (int i = 2; i < need; i++) c->left = c->left << 8 | c->head[i];
    c->opcode = c->head[0] & 15, c->headLength = 0, c->controlLength = 0;
    if (c->left == 0) frameEnds(c, atUs);
  }
}

static void upgraded(struct client *c, char *data, size_t length, int64_t atUs) {
  char *end = memmem(data, length, "\r\n\r\n", 4);
  if (end == NULL || memcmp(data, "HTTP/1.1 101", 12) != 0) { gone(c); return; }
  c->state = OPEN, open_++;
  if (isHelloAtOnce) c->greeted = 1, send(c->fd, hello, helloLength, MSG_NOSIGNAL);
  end += 4;
  parse(c, (uint8_t *)end, length - (end - data), atUs);
}

static void readSome(struct client *c, size_t most) {
  ssize_t got = recv(c->fd, buffer, most, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) { gone(c); return; }
  buffer[got] = 0;
  reads++, bytes += got;
  int64_t atUs = c->heard ? 0 : nowUs();
  if (c->state == UPGRADING) { upgraded(c, buffer, got, atUs); return; }
  if (c->sampled || c->resumed) look(c, buffer, got);
  parse(c, (uint8_t *)buffer, got, atUs);
}

static void ready(struct client *c, uint32_t events) {
  if (c->state == GONE || c->state == FREE) return;
  if (c->state == CONNECTING) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0 || send(c->fd, request, requestLength, MSG_NOSIGNAL) < 0) { gone(c); return; }
    c->state = UPGRADING;
    watch(c, EPOLLIN);
  } else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
    if (c->reading == NORMAL) readSome(c, BUFFER);
    else if (events & (EPOLLHUP | EPOLLERR)) gone(c);
  }
}

static double at(const uint32_t *table, uint64_t n, double share) {
  uint64_t seen = 0, want = (uint64_t)(n * share);
  if (want >= n && n > 0) want = n - 1;
  for (int i = 0; i < AGES; i++)
    if ((seen += table[i]) > want) return i / 10.0;
  return 0;
}

static double spentMs(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

static void snap(void) {
  printf("{\"atMs\":%.3f,\"cpuMs\":%.1f,\"open\":%d,\"closed\":%d,\"failed\":%d,\"bytes\":%llu,\"frames\":%llu,\"messages\":%llu,\"reads\":%llu,"
         "\"pings\":%llu,\"sampledBytes\":%llu,\"sampledMessages\":%llu,\"regressions\":%llu,\"closeFrames\":%llu,"
         "\"ages\":{\"n\":%llu,\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}}\n",
         nowUs() / 1e3, spentMs(), open_, closed, failed, (unsigned long long)bytes, (unsigned long long)frames, (unsigned long long)messages,
         (unsigned long long)reads, (unsigned long long)pings, (unsigned long long)sampledBytes, (unsigned long long)sampledMessages,
         (unsigned long long)regressions, (unsigned long long)closeFrames, (unsigned long long)agesCount, at(ages, agesCount, 0.5),
         at(ages, agesCount, 0.99), at(ages, agesCount, 1));
  memset(ages, 0, sizeof ages), agesCount = 0;
}

static void connected(void) {
  printf("{\"open\":%d,\"failed\":%d,\"tookMs\":%.3f,\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}\n", open_, failed,
         (nowUs() - connectStartedUs) / 1e3, at(firsts, firstsCount, 0.5), at(firsts, firstsCount, 0.99), at(firsts, firstsCount, 1));
  memset(firsts, 0, sizeof firsts), firstsCount = 0;
}

static void hold(int every, int rest, enum reading how) {
  int held = 0;
  for (int i = 0; i < count; i++)
    if (clients[i].state == OPEN && i % every == rest) {
      clients[i].reading = how, clients[i].live = 0, held++;
      watch(&clients[i], 0);
    }
  if (how == SLOW) isSlow = 1;
  printf("{\"held\":%d}\n", held);
}

static void resume(void) {
  int resumed = 0;
  for (int i = 0; i < count; i++)
    if (clients[i].state == OPEN && clients[i].reading != NORMAL) {
      clients[i].reading = NORMAL, clients[i].resumed = 1, clients[i].resumedUs = nowUs(), clients[i].recoveredUs = 0, resumed++;
      watch(&clients[i], EPOLLIN);
    }
  isSlow = 0;
  printf("{\"resumed\":%d}\n", resumed);
}

static void recover(void) {
  int n = 0, missing = 0;
  double most = 0, sum = 0;
  for (int i = 0; i < count; i++)
    if (clients[i].resumed && clients[i].state == OPEN) {
      if (clients[i].recoveredUs == 0) { missing++; continue; }
      double ms = clients[i].recoveredUs / 1e3;
      sum += ms, n++;
      if (ms > most) most = ms;
    }
  printf("{\"recovered\":%d,\"missing\":%d,\"meanMs\":%.1f,\"maxMs\":%.1f}\n", n, missing, n ? sum / n : 0, most);
}

static void closeAll(void) {
  for (int i = 0; i < count; i++) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0}; // leaves no TIME_WAIT behind, which would use up the ports
    if (clients[i].state != GONE) setsockopt(clients[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    gone(&clients[i]);
    free(clients[i].newest), clients[i].newest = NULL;
  }
  count = open_ = underWay = wanted = 0;
  printf("{\"closed\":true}\n");
}

static void obey(const char *line) {
  int a = 0, b = 0;
  if (sscanf(line, "connect %d %d", &a, &b) == 2) {
    wanted = count + a > CLIENTS_MAX ? CLIENTS_MAX - count : a, window_ = b, failed = 0, connectStartedUs = nowUs();
    return; // answered when they are in
  }
  if (strncmp(line, "mark", 4) == 0) {
    for (int i = 0; i < count; i++) clients[i].live = clients[i].state == OPEN && clients[i].reading == NORMAL;
    memset(ages, 0, sizeof ages), agesCount = 0;
    printf("{\"marked\":%d}\n", open_);
  } else if (strncmp(line, "snap", 4) == 0) snap();
  else if (sscanf(line, "stop %d %d", &a, &b) == 2) hold(a, b, STOPPED);
  else if (sscanf(line, "slow %d %d", &a, &b) == 2) hold(a, b, SLOW);
  else if (strncmp(line, "resume", 6) == 0) resume();
  else if (strncmp(line, "recover", 7) == 0) recover();
  else if (strncmp(line, "close", 5) == 0) closeAll();
  else printf("{\"unknown\":true}\n");
}

static int isConnecting;
static void connectSome(void) {
  if (wanted > 0) isConnecting = 1;
  while (wanted > 0 && underWay < window_) wanted--, openOne();
  if (!isConnecting || wanted > 0 || underWay > 0) return;
  isConnecting = 0;
  connected();
}

static size_t slurp(const char *path, char *into, size_t most) {
  FILE *file = fopen(path, "r");
  if (file == NULL) { perror(path); exit(1); }
  size_t got = fread(into, 1, most, file);
  fclose(file);
  return got;
}

int main(int argc, char **argv) {
  if (argc != 5) return fprintf(stderr, "sink <port> <request file> <hello file> <sample every>\n"), 2;
  port = atoi(argv[1]);
  requestLength = slurp(argv[2], request, sizeof request);
  isHelloAtOnce = argv[3][0] == '+';
  helloLength = slurp(argv[3] + isHelloAtOnce, hello, sizeof hello);
  sampleEvery = atoi(argv[4]);
  setvbuf(stdout, NULL, _IOLBF, 0);
  epollFd = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
  fcntl(0, F_SETFL, O_NONBLOCK);
  epoll_ctl(epollFd, EPOLL_CTL_ADD, 0, &input);
  static char line[256];
  size_t length = 0;
  int64_t slowAtUs = 0;
  struct epoll_event events[512];
  for (;;) {
    connectSome();
    int n = epoll_wait(epollFd, events, 512, isSlow ? 100 : 1000);
    if (isSlow && nowUs() >= slowAtUs) {
      slowAtUs = nowUs() + 1000000;
      for (int i = 0; i < count; i++)
        if (clients[i].reading == SLOW && clients[i].state == OPEN) readSome(&clients[i], SLOW_BYTES);
    }
    for (int i = 0; i < n; i++) {
      if (events[i].data.ptr != NULL) { ready(events[i].data.ptr, events[i].events); continue; }
      char c;
      ssize_t got;
      while ((got = read(0, &c, 1)) == 1) {
        if (c != '\n') { if (length < sizeof line - 1) line[length++] = c; continue; }
        line[length] = 0, length = 0;
        obey(line);
      }
      if (got == 0) return 0;
    }
  }
}
