/* A relay that knows nothing: relay PORT. The first four bytes of a connection say whose it is
 * and are sent back; after them come frames of FRAME bytes, each of which begins with the number of the user to whom it
 * goes. One thread, epoll, no queues: a reader that does not read is cut. (relays.ts) */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NUMBER = 4, FRAME = NUMBER + 1024, USERS = 65536, FILES = 65536, EVENTS = 256 };

struct connection {
  int known;
  size_t filled;
  unsigned char buffer[64 * FRAME];
};

static struct connection *connections[FILES];
static int user_files[USERS];

static uint32_t number_at(const unsigned char *bytes) {
  uint32_t value;
  memcpy(&value, bytes, NUMBER);
  return ntohl(value) % USERS;
}

static void forget(int file) {
  free(connections[file]);
  connections[file] = NULL;
  close(file);
}

static void pass_on(const unsigned char *frame) {
  int file = user_files[number_at(frame)];
  if (file <= 0) return;
  if (send(file, frame, FRAME, MSG_NOSIGNAL | MSG_DONTWAIT) != FRAME) shutdown(file, SHUT_RDWR);
}

static void receive(int file) {
  struct connection *connection = connections[file];
  ssize_t length = recv(file, connection->buffer + connection->filled,
                        sizeof connection->buffer - connection->filled, 0);
  if (length <= 0) {
    forget(file);
    return;
  }
  connection->filled += (size_t)length;
  size_t at = 0;
  if (!connection->known && connection->filled >= NUMBER) {
    user_files[number_at(connection->buffer)] = file;
    connection->known = 1;
    send(file, connection->buffer, NUMBER, MSG_NOSIGNAL);
    at = NUMBER;
  }
  for (; connection->filled - at >= FRAME; at += FRAME) pass_on(connection->buffer + at);
  connection->filled -= at;
  memmove(connection->buffer, connection->buffer + at, connection->filled);
}

static int listen_at(int port) {
  int file = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(file, (struct sockaddr *)&address, sizeof address) || listen(file, 1024)) exit(1);
  return file;
}

int main(int count, char **arguments) {
  if (count != 2) return 64;
  int listener = listen_at(atoi(arguments[1])), poll = epoll_create1(0), yes = 1;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int ready = epoll_wait(poll, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      int file = events[i].data.fd;
      if (file != listener) {
        receive(file);
        continue;
      }
      int accepted = accept(listener, NULL, NULL);
      if (accepted < 0 || accepted >= FILES) continue;
      setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      connections[accepted] = calloc(1, sizeof(struct connection));
      event.data.fd = accepted;
      epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &event);
    }
  }
}
