/* SPDX-License-Identifier: Apache-2.0 */
/* test_api_events: the ring of events, and readers in it. */
#include "api/events.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct events *events;

static int
set_up(void **state)
{
	(void)state;
	events = events_new();
	return events ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	events_free(events);
	return 0;
}

static void
add(const char *project, int n)
{
	events_add(events, "x.y", project, json_pack("{s:i}", "n", n));
}

/* The next event as JSON; NULL: none. */
static json_t *
next(struct events_place *at, const char *project)
{
	size_t n;
	scoped_free char *text =
	    events_next(events, at, project, EVENTS_LINES, &n);
	json_t *v;

	if (!text)
		return NULL;
	assert_int_equal(strlen(text), n);
	v = json_loads(text, 0, NULL);
	assert_non_null(v);
	return v;
}

static void
expect(struct events_place *at, const char *project, int want)
{
	json_t *v = next(at, project);

	assert_non_null(v);
	assert_int_equal(json_integer_value(json_object_get(v, "n")), want);
	json_decref(v);
}

static void
expect_gap(struct events_place *at, json_int_t missed)
{
	json_t *v = next(at, "p");
	const json_t *n;

	assert_non_null(v);
	assert_string_equal(
	    json_string_value(json_object_get(v, "type")), "gap");
	n = json_object_get(v, "missed");
	if (missed < 0)
		assert_true(json_is_null(n));
	else
		assert_int_equal(json_integer_value(n), missed);
	json_decref(v);
}

static void
a_reader_hears_what_comes(void **state)
{
	struct events_place at;

	(void)state;
	add("p", 1);
	at = events_place(events, NULL, false);
	assert_null(next(&at, "p"));
	add("p", 2);
	add("p", 3);
	expect(&at, "p", 2);
	expect(&at, "p", 3);
	assert_null(next(&at, "p"));
	at = events_place(events, NULL, true);
	expect(&at, "p", 1);
}

static void
projects_are_apart(void **state)
{
	struct events_place at = events_place(events, NULL, false);

	(void)state;
	add("other", 1);
	add(NULL, 2);
	add("p", 3);
	expect(&at, "p", 2);
	expect(&at, "p", 3);
	at = events_place(events, NULL, true);
	expect(&at, "other", 1);
	expect(&at, "other", 2);
	assert_null(next(&at, "other"));
}

static void
an_id_leads_back(void **state)
{
	struct events_place at = events_place(events, NULL, true);
	char id[EVENTS_ID_BYTES];
	json_t *v;

	(void)state;
	add("p", 1);
	add("p", 2);
	add("p", 3);
	v = next(&at, "p");
	snprintf(
	    id, sizeof(id), "%s", json_string_value(json_object_get(v, "id")));
	json_decref(v);
	at = events_place(events, id, false);
	expect(&at, "p", 2);
	expect(&at, "p", 3);
	assert_null(next(&at, "p"));
}

static void
an_id_of_elsewhere_is_a_gap(void **state)
{
	static const char *const bad[] = { "", "1", "00000000-1", "x",
		"0123456789012345678901234567890123456789" };
	struct events_place at = events_place(events, NULL, true);
	char id[EVENTS_ID_BYTES];
	json_t *v;

	(void)state;
	add("p", 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		at = events_place(events, bad[i], false);
		expect_gap(&at, -1);
		assert_null(next(&at, "p"));
	}
	/* one of ours that is not there yet, and one with a tail */
	at = events_place(events, NULL, true);
	v = next(&at, "p");
	snprintf(
	    id, sizeof(id), "%s", json_string_value(json_object_get(v, "id")));
	json_decref(v);
	id[strlen(id) - 1] = '7';
	at = events_place(events, id, false);
	expect_gap(&at, -1);
	id[strlen(id) - 1] = '1';
	strcat(id, " ");
	at = events_place(events, id, false);
	expect_gap(&at, -1);
}

static void
the_slow_one_is_told(void **state)
{
	struct events_place slow = events_place(events, NULL, false);
	struct events_place quick = slow;
	char id[EVENTS_ID_BYTES];
	json_t *v;

	(void)state;
	for (int i = 1; i <= EVENTS_MAX + 10; i++) {
		add("p", i);
		expect(&quick, "p", i);
	}
	v = next(&slow, "p");
	assert_int_equal(json_integer_value(json_object_get(v, "missed")), 10);
	snprintf(
	    id, sizeof(id), "%s", json_string_value(json_object_get(v, "id")));
	json_decref(v);
	expect(&slow, "p", 11);
	/* whoever comes back with the gap's id goes on behind it */
	slow = events_place(events, id, false);
	expect(&slow, "p", 11);
	expect(&slow, "p", 12);
}

static void
memory_is_bounded_by_bytes_too(void **state)
{
	struct events_place at = events_place(events, NULL, true);
	char big[EVENTS_ONE_BYTES];
	int n = 0;
	json_t *v;

	(void)state;
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 200] = '\0';
	for (int i = 0; i < EVENTS_MAX; i++)
		events_add(events, "x.y", "p", json_pack("{s:s}", "big", big));
	v = next(&at, "p");
	assert_string_equal(
	    json_string_value(json_object_get(v, "type")), "gap");
	json_decref(v);
	for (; (v = next(&at, "p")) != NULL; n++)
		json_decref(v);
	assert_in_range(n, 100, EVENTS_BYTES / (EVENTS_ONE_BYTES - 200));
	/* one that is too large is left out, and said to be */
	big[sizeof(big) - 200] = 'x';
	big[sizeof(big) - 1] = '\0';
	events_add(events, "x.y", "p", json_pack("{s:s}", "big", big));
	add("p", 5);
	expect_gap(&at, 1);
	expect(&at, "p", 5);
}

static void
the_form_is_that_of_server_sent_events(void **state)
{
	struct events_place at = events_place(events, NULL, true);
	scoped_free char *text = NULL;
	char id[EVENTS_ID_BYTES], want[256];
	size_t n;

	(void)state;
	add("p", 1);
	text = events_next(events, &at, "p", EVENTS_SSE, &n);
	assert_non_null(text);
	assert_int_equal(sscanf(text, "id: %31[0-9a-f-]\n", id), 1);
	snprintf(want, sizeof(want),
	    "id: %s\nevent: x.y\ndata: "
	    "{\"n\":1,\"id\":\"%s\",\"type\":\"x.y\"}\n\n",
	    id, id);
	assert_string_equal(text, want);
}

int
main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		EACH(a_reader_hears_what_comes),
		EACH(projects_are_apart),
		EACH(an_id_leads_back),
		EACH(an_id_of_elsewhere_is_a_gap),
		EACH(the_slow_one_is_told),
		EACH(memory_is_bounded_by_bytes_too),
		EACH(the_form_is_that_of_server_sent_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
