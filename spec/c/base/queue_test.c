/* Doubly linked lists, against a model in an array. */
#include "check.h"

#include "engine/base/queue.h"

#include <string.h>

#define ITEMS 6

typedef struct Item {
  int number;
  QueueLink link;
} Item;

static Item items[ITEMS];
static Queue queue, other;

static void compare(Item *const *model, size_t count) {
  const QueueLink *previous = NULL;
  const QueueLink *link = queue.first;
  for (size_t i = 0; i < count; i++, previous = link, link = link->next) {
    assert_non_null(link);
    assert_ptr_equal(link->previous, previous);
    assert_ptr_equal(QUEUE_ITEM(link, Item, link), model[i]);
  }
  assert_null(link);
  assert_ptr_equal(queue.last, previous);
}

static size_t take_out(Item **model, size_t count, const Item *item) {
  for (size_t i = 0; i < count; i++)
    if (model[i] == item) {
      memmove(model + i, model + i + 1, (count - i - 1) * sizeof *model);
      return count - 1;
    }
  return count;
}

static void items_are_where_they_were_put(void **state) {
  Item *model[ITEMS];
  size_t count = 0;
  uint64_t seed = 5;
  (void)state;
  for (unsigned permit = 0; permit < 20000; permit++) {
    Item *item = &items[random_below(&seed, ITEMS)];
    unsigned kind = random_below(&seed, 3);
    count = take_out(model, count, item);
    if (kind == 0) {
      size_t at = random_below(&seed, (unsigned)count + 1);
      queue_remove(&item->link);
      queue_insert(&queue, &item->link, at ? &model[at - 1]->link : NULL);
      memmove(model + at + 1, model + at, (count - at) * sizeof *model);
      model[at] = item;
      count++;
    } else if (kind == 1) {
      queue_append(&queue, &item->link);
      model[count++] = item;
    } else {
      queue_remove(&item->link);
      queue_remove(&item->link); /* nothing happens */
      assert_null(item->link.queue);
    }
    compare(model, count);
  }
}

static void an_item_changes_queues(void **state) {
  (void)state;
  memset(items, 0, sizeof items);
  queue = other = (Queue){0};
  queue_append(&queue, &items[0].link);
  queue_append(&other, &items[0].link);
  assert_null(queue.first);
  assert_null(queue.last);
  assert_ptr_equal(other.first, &items[0].link);
  assert_ptr_equal(items[0].link.queue, &other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(items_are_where_they_were_put),
      cmocka_unit_test(an_item_changes_queues),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
