/* SPDX-License-Identifier: Apache-2.0 */
/* model_rig: see model_rig.h. */
#include "model_rig.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

json_t *
rig_parse(const char *text)
{
	json_error_t e;
	json_t *v = json_loads(text, JSON_REJECT_DUPLICATES, &e);

	if (!v)
		fail_msg("%s: %s", e.text, text);
	return v;
}

/* Reads a router that must be good. */
struct model_router
rig_read_router(const char *text)
{
	struct model_router r;
	struct problem p;
	json_t *body = rig_parse(text);

	problem_init(&p);
	model_router_init(&r);
	if (model_router_read(&r, body, NULL, &p) < 0)
		fail_msg("%s", p.detail);
	assert_int_equal(p.status, 0);
	json_decref(body);
	return r;
}

bool
rig_has_error(const struct problem *p, const char *pointer, const char *part)
{
	for (unsigned i = 0; i < p->n_errors; i++)
		if (strcmp(p->error[i].pointer, pointer) == 0 &&
		    strstr(p->error[i].detail, part))
			return true;
	return false;
}

/* The one error of this document. */
void
rig_expect_error(const char *text, const char *pointer, const char *part)
{
	struct model_router r;
	struct problem p;
	json_t *body = rig_parse(text);

	problem_init(&p);
	memset(&r, 0xa5, sizeof(r));
	assert_int_equal(model_router_read(&r, body, "r1", &p), -EINVAL);
	assert_int_equal(p.status, 422);
	if (p.n_errors != 1 || !rig_has_error(&p, pointer, part))
		fail_msg("%s\ngave %u: %s: %s", text, p.n_errors,
		    p.error[0].pointer, p.error[0].detail);
	assert_int_equal((uint8_t)r.name[0], 0xa5); /* nothing was written */
	json_decref(body);
	problem_clear(&p);
}

void
rig_expect_vnic_error(const char *vnic, const char *pointer, const char *part)
{
	char text[1024], at[128];

	snprintf(text, sizeof(text), "{\"spec\": {\"vnics\": [%s]}}", vnic);
	snprintf(at, sizeof(at), "/spec/vnics/0%s", pointer);
	rig_expect_error(text, at, part);
}
