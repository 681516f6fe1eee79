// The floor of a fan-out: nothing but a loop of send(2) over all sockets, with the bytes ready. No language, library, session or
// clock can be quicker than this with one write a reader. Pinned like the servers that are held against it.
//
//   send-loop <port>
//   run <milliseconds> <file with the bytes of one write>    answers with what it did, in JSON a line
//
// A handshake is answered without being looked at, and a first frame is sent, so that the sink takes this for a server.
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

enum { SOCKETS_MAX = 20000 };
static int sockets[SOCKETS_MAX], count;
static char bytes[1 << 20], rest[65536];
static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x02{}";

static double nowMs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static double spentMs(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

static void run(double ms, const char *path) {
  FILE *file = fopen(path, "r");
  if (file == NULL) { printf("{\"error\":\"no file\"}\n"); return; }
  size_t length = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  uint64_t writes = 0, full = 0, torn = 0;
  double from = nowMs(), cpu = spentMs();
  while (nowMs() - from < ms)
    for (int i = 0; i < count; i++) {
      ssize_t sent = send(sockets[i], bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent == (ssize_t)length) writes++;
      else if (sent < 0) full++;
      else torn++;
    }
  printf("{\"writes\":%llu,\"full\":%llu,\"torn\":%llu,\"ms\":%.3f,\"cpuMs\":%.1f}\n", (unsigned long long)writes, (unsigned long long)full,
         (unsigned long long)torn, nowMs() - from, spentMs() - cpu);
}

int main(int argc, char **argv) {
  if (argc != 2) return fprintf(stderr, "send-loop <port>\n"), 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, epollFd = epoll_create1(0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(0x7f000001)};
  if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 4096) < 0) return perror("listen"), 1;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(epollFd, EPOLL_CTL_ADD, listener, &event);
  event.data.fd = 0;
  epoll_ctl(epollFd, EPOLL_CTL_ADD, 0, &event);
  printf("{\"listening\":true}\n");
  for (;;) {
    if (epoll_wait(epollFd, &event, 1, -1) != 1) continue;
    int fd = event.data.fd;
    if (fd == listener) {
      int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      if (client < 0) continue;
      setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      event.events = EPOLLIN, event.data.fd = client;
      epoll_ctl(epollFd, EPOLL_CTL_ADD, client, &event);
    } else if (fd == 0) {
      char line[512] = "", path[400];
      double ms = 0;
      if (read(0, line, sizeof line - 1) <= 0) return 0;
      if (sscanf(line, "run %lf %399s", &ms, path) == 2) run(ms, path);
    } else {
      ssize_t got = recv(fd, rest, sizeof rest, 0);
      if (got <= 0) { close(fd); continue; }
      epoll_ctl(epollFd, EPOLL_CTL_DEL, fd, NULL);
      if (count < SOCKETS_MAX && send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) > 0) sockets[count++] = fd;
    }
  }
}
