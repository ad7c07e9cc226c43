/* The mailbox: order, its descriptor, and two threads that hurry. */
#include "check.h"

#include "engine/loop/mailbox.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#define WRITERS 2
#define MESSAGES 20000

typedef struct Message {
  Link link; /* first */
  unsigned writer;
  unsigned number;
} Message;

static bool is_readable(const Mailbox *mailbox) {
  struct pollfd fd = {.fd = mailbox->fd, .events = POLLIN};
  return poll(&fd, 1, 0) == 1;
}

static void put_one(Mailbox *mailbox, Message *message, unsigned number) {
  List batch = {0};
  message->number = number;
  list_append(&batch, &message->link);
  mailbox_send(mailbox, &batch);
  assert_null(batch.first);
}

static unsigned shift_number(List *list) {
  Message *message = (Message *)list_shift(list);
  assert_non_null(message);
  return message->number;
}

static void a_list_keeps_the_order(void **state) {
  Message messages[4];
  List list = {0};
  (void)state;
  assert_null(list_shift(&list));
  for (unsigned round = 0; round < 2; round++) {
    for (unsigned i = 0; i < 3; i++) {
      messages[i].number = i;
      list_append(&list, &messages[i].link);
    }
    assert_int_equal(shift_number(&list), 0);
    messages[3].number = 3;
    list_append(&list, &messages[3].link);
    for (unsigned i = 1; i < 4; i++)
      assert_int_equal(shift_number(&list), i);
    assert_null(list_shift(&list));
  }
}

static void the_descriptor_is_readable_while_messages_wait(void **state) {
  Message messages[3];
  Mailbox mailbox;
  List list;
  (void)state;
  assert_true(mailbox_open(&mailbox));
  assert_false(is_readable(&mailbox));
  put_one(&mailbox, &messages[0], 0);
  assert_true(is_readable(&mailbox));
  put_one(&mailbox, &messages[1], 1);
  put_one(&mailbox, &messages[2], 2);
  assert_true(is_readable(&mailbox));
  list = mailbox_take(&mailbox);
  assert_false(is_readable(&mailbox));
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(shift_number(&list), i);
  assert_null(list_shift(&list));
  put_one(&mailbox, &messages[0], 7);
  assert_true(is_readable(&mailbox));
  list = mailbox_take(&mailbox);
  assert_int_equal(shift_number(&list), 7);
  assert_false(is_readable(&mailbox));
  mailbox_close(&mailbox);
  assert_int_equal(mailbox.fd, -1);
}

static void send_nothing(Mailbox *mailbox) {
  List nothing = {0};
  mailbox_send(mailbox, &nothing);
}

static void the_reader_is_woken_only_when_it_should_be(void **state) {
  Message message;
  Mailbox mailbox;
  List batch = {0};
  (void)state;
  assert_true(mailbox_open(&mailbox));
  send_nothing(&mailbox);
  assert_false(is_readable(&mailbox)); /* there is nothing */
  message.number = 5;
  list_append(&batch, &message.link);
  mailbox_put(&mailbox, &batch);
  assert_false(is_readable(&mailbox));
  send_nothing(&mailbox);
  assert_true(is_readable(&mailbox));
  send_nothing(&mailbox);
  batch = mailbox_take(&mailbox);
  assert_int_equal(shift_number(&batch), 5);
  assert_false(is_readable(&mailbox));
  list_append(&batch, &message.link);
  mailbox_put(&mailbox, &batch);
  batch = mailbox_take(&mailbox); /* found without being woken */
  assert_int_equal(shift_number(&batch), 5);
  send_nothing(&mailbox);
  assert_false(is_readable(&mailbox));
  mailbox_close(&mailbox);
}

static void a_reader_that_attends_is_not_woken(void **state) {
  Message messages[2];
  Mailbox mailbox;
  List list;
  (void)state;
  assert_true(mailbox_open(&mailbox));
  mailbox_attend(&mailbox, true);
  put_one(&mailbox, &messages[0], 1);
  assert_false(is_readable(&mailbox));
  mailbox_signal(&mailbox); /* this cannot wait */
  assert_true(is_readable(&mailbox));
  list = mailbox_take(&mailbox);
  assert_int_equal(shift_number(&list), 1);
  assert_false(is_readable(&mailbox));
  mailbox_attend(&mailbox, false);
  put_one(&mailbox, &messages[1], 2);
  assert_true(is_readable(&mailbox));
  list = mailbox_take(&mailbox);
  assert_int_equal(shift_number(&list), 2);
  mailbox_close(&mailbox);
}

static void nothing_put_is_nothing_told(void **state) {
  Mailbox mailbox;
  List nothing = {0};
  (void)state;
  assert_true(mailbox_open(&mailbox));
  mailbox_put(&mailbox, &nothing);
  assert_false(is_readable(&mailbox));
  assert_null(mailbox_take(&mailbox).first);
  mailbox_close(&mailbox);
}

static void batches_join_at_the_end(void **state) {
  Message messages[4];
  Mailbox mailbox;
  List batch = {0};
  List list;
  (void)state;
  assert_true(mailbox_open(&mailbox));
  for (unsigned i = 0; i < 4; i++) {
    messages[i].number = i;
    list_append(&batch, &messages[i].link);
    if (i % 2 == 1)
      mailbox_put(&mailbox, &batch);
  }
  list = mailbox_take(&mailbox);
  for (unsigned i = 0; i < 4; i++)
    assert_int_equal(shift_number(&list), i);
  assert_null(list_shift(&list));
  mailbox_close(&mailbox);
}

static void a_signal_lasts_until_it_is_quieted(void **state) {
  Message message;
  Mailbox mailbox;
  (void)state;
  assert_true(mailbox_open(&mailbox));
  mailbox_signal(&mailbox);
  assert_true(is_readable(&mailbox));
  assert_null(mailbox_take(&mailbox).first);
  assert_true(is_readable(&mailbox));
  put_one(&mailbox, &message, 1);
  mailbox_quiet(&mailbox); /* a message waits: it must stay readable */
  assert_true(is_readable(&mailbox));
  assert_ptr_equal(mailbox_take(&mailbox).first, &message);
  mailbox_signal(&mailbox);
  mailbox_quiet(&mailbox);
  assert_false(is_readable(&mailbox));
  mailbox_quiet(&mailbox); /* never blocks */
  mailbox_close(&mailbox);
}

static void the_descriptor_is_not_inherited(void **state) {
  Mailbox mailbox;
  (void)state;
  assert_true(mailbox_open(&mailbox));
  assert_true(fcntl(mailbox.fd, F_GETFD) & FD_CLOEXEC);
  assert_true(fcntl(mailbox.fd, F_GETFL) & O_NONBLOCK);
  mailbox_close(&mailbox);
}

typedef struct Writer {
  pthread_t thread;
  Mailbox *mailbox;
  Message *messages;
  unsigned number;
} Writer;

/* Puts its messages one at a time and in small batches. */
static void *write_all(void *user) {
  Writer *writer = user;
  uint64_t seed = 5 + writer->number;
  List batch = {0};
  for (unsigned i = 0; i < MESSAGES; i++) {
    Message *message = &writer->messages[i];
    message->writer = writer->number;
    message->number = i;
    list_append(&batch, &message->link);
    if (random_below(&seed, 4) == 0 || i == MESSAGES - 1)
      mailbox_put(writer->mailbox, &batch);
    if (random_below(&seed, 3) == 0 || i == MESSAGES - 1)
      mailbox_send(writer->mailbox, &batch);
  }
  return NULL;
}

/* Waits as the I/O thread does: one that attends looks again by itself. */
static List wait_and_take(Mailbox *mailbox, bool *attends) {
  struct pollfd fd = {.fd = mailbox->fd, .events = POLLIN};
  List list;
  poll(&fd, 1, *attends ? 1 : -1);
  list = mailbox_take(mailbox);
  if (*attends == (list.first != NULL))
    return list;
  *attends = !*attends;
  mailbox_attend(mailbox, *attends);
  return *attends ? list : mailbox_take(mailbox);
}

/* A lost wake-up shows as a test that never ends. */
static void hurrying_threads_lose_nothing(void **state) {
  Writer writers[WRITERS];
  unsigned next[WRITERS] = {0};
  unsigned left = WRITERS * MESSAGES;
  bool attends = false;
  Mailbox mailbox;
  (void)state;
  assert_true(mailbox_open(&mailbox));
  for (unsigned i = 0; i < WRITERS; i++) {
    writers[i] =
        (Writer){.mailbox = &mailbox,
                 .messages = calloc(MESSAGES, sizeof *writers[i].messages),
                 .number = i};
    pthread_create(&writers[i].thread, NULL, write_all, &writers[i]);
  }
  while (left > 0) {
    List list = wait_and_take(&mailbox, &attends);
    Message *message;
    while ((message = (Message *)list_shift(&list))) {
      assert_int_equal(message->number, next[message->writer]++);
      left--;
    }
  }
  assert_false(is_readable(&mailbox));
  for (unsigned i = 0; i < WRITERS; i++) {
    pthread_join(writers[i].thread, NULL);
    free(writers[i].messages);
  }
  mailbox_close(&mailbox);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_list_keeps_the_order),
      cmocka_unit_test(the_descriptor_is_readable_while_messages_wait),
      cmocka_unit_test(the_reader_is_woken_only_when_it_should_be),
      cmocka_unit_test(a_reader_that_attends_is_not_woken),
      cmocka_unit_test(nothing_put_is_nothing_told),
      cmocka_unit_test(batches_join_at_the_end),
      cmocka_unit_test(a_signal_lasts_until_it_is_quieted),
      cmocka_unit_test(the_descriptor_is_not_inherited),
      cmocka_unit_test(hurrying_threads_lose_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
