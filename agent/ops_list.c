/* SPDX-License-Identifier: Apache-2.0 */
/* ops_list: see ops_list.h. It is in memory from one call to the next alone. */
#include "agent/ops_list.h"

#include "lib/base.h"

void
op_list_add(struct op_list *l, const char *name, const json_t *labels,
    const void *object)
{
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct list_item *grown =
		    realloc(l->items, room * sizeof(*grown));

		if (!grown) {
			l->is_short = true;
			return;
		}
		l->items = grown;
		l->room = room;
	}
	l->items[l->n++] = (struct list_item){ name, labels, object };
}

void
op_list_reply(struct op_list *l, struct api_request *rq,
    json_t *(*make)(void *arg, const void *object), void *arg)
{
	const struct list_maker m = { make, arg };
	struct json_text text = { .bytes = NULL };
	struct problem p;
	int rc;

	problem_init(&p);
	if (l->is_short)
		rc = problem_set(
		    &p, 503, "busy", "try again in a second", "no memory");
	else
		rc = list_write_page(
		    l->items, l->n, api_query_all(rq), &m, &text, &p);
	free(l->items);
	*l = (struct op_list){ 0 };
	if (rc == 0) {
		api_reply_written(rq, text.bytes, text.n);
		return;
	}
	free(text.bytes);
	op_problem(rq, &p);
}
