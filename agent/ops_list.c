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
	json_t *page = NULL;
	struct problem p;

	problem_init(&p);
	if (l->is_short)
		problem_set(
		    &p, 503, "busy", "try again in a second", "no memory");
	else
		page = list_page_of(
		    l->items, l->n, api_query_all(rq), make, arg, &p);
	free(l->items);
	*l = (struct op_list){ 0 };
	if (page)
		api_reply(rq, 200, page, NULL, NULL);
	else
		op_problem(rq, &p);
}
