/* SPDX-License-Identifier: Apache-2.0 */
/* ops_live: see ops_live.h. */
#include "agent/ops_live.h"

#include "lib/base.h"

#include <stdio.h>

const char *
live_text(const json_t *o, const char *key, size_t max)
{
	const json_t *v = json_object_get(o, key);
	const char *s = json_string_value(v);

	/* a zero byte within is none of ours */
	if (!s || json_string_length(v) > max ||
	    strlen(s) != json_string_length(v))
		return NULL;
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < ' ')
			return NULL;
	return s;
}

bool
live_number(const json_t *o, const char *key, json_int_t *out)
{
	const json_t *v = json_object_get(o, key);

	*out = json_integer_value(v);
	return json_is_integer(v) && *out >= 0;
}

/* "error", "code" and "line" of the router's own words. */
static void
say_no(const struct router *r, const json_t *json, struct problem *p)
{
	static const char remedy[] = "see the router's log, or try again";
	const char *code = json_string_value(json_object_get(json, "code"));
	const char *why = json_string_value(json_object_get(json, "error"));
	json_int_t line = json_integer_value(json_object_get(json, "line"));
	char words[256], at[32] = "";

	code = code ? code : "";
	snprintf(words, sizeof(words), "%s", why ? why : "it does not say why");
	problem_clean_text(words);
	if (strcmp(code, "invalid") == 0 || strcmp(code, "unreachable") == 0) {
		if (line > 0 && line < INT32_MAX)
			snprintf(at, sizeof(at), "/%d", (int)line - 1);
		problem_add(p, at, "%s", words);
		if (at[0])
			p->extra = json_pack("{s:I}", "line", line);
	} else if (strcmp(code, "busy") == 0) {
		problem_set(p, 503, "busy", "try again in a second",
		    "router %s: %s", r->spec.name, words);
	} else if (strcmp(code, "full") == 0) {
		problem_set(p, 409, "quota-exceeded", "send fewer",
		    "router %s: %s", r->spec.name, words);
	} else {
		problem_set(p, 409, "router-refused", remedy, "router %s: %s",
		    r->spec.name, words);
	}
}

void
live_problem(
    const struct router *r, int rc, const json_t *json, struct problem *p)
{
	static const char restart[] =
	    "try again; if it stays so: POST .../restart {\"scope\": "
	    "\"dataplane\"}";

	switch (rc) {
	case -EREMOTEIO:
		say_no(r, json, p);
		break;
	case -ENOTCONN:
		problem_set(p, 409, "wrong-state",
		    "wait until it runs; its data plane must be europa-router",
		    "the process of router %s does not serve its socket",
		    r->spec.name);
		break;
	case -ECANCELED:
		problem_set(p, 409, "wrong-state", "create a new one",
		    "router %s is being deleted", r->spec.name);
		break;
	case -EBUSY:
	case -ENOMEM:
		problem_set(p, 503, "busy", "try again in a second",
		    "too many questions wait for router %s", r->spec.name);
		break;
	case -ETIMEDOUT:
		problem_set(p, 504, "no-answer", restart,
		    "router %s does not answer in time", r->spec.name);
		break;
	default:
		problem_set(p, 504, "no-answer", restart,
		    "the process of router %s answers nonsense", r->spec.name);
		break;
	}
}

void
live_refuse(
    const struct router *r, struct api_request *rq, int rc, const json_t *json)
{
	struct problem p;

	problem_init(&p);
	live_problem(r, rc, json, &p);
	op_problem(rq, &p);
}

void
live_refuse_read(const struct router *r, struct api_request *rq, int rc)
{
	struct problem p;

	problem_init(&p);
	if (rc == -EREMOTEIO && api_query(rq, "cursor"))
		problem_set(&p, 400, "bad-query",
		    "send what next was, or leave it out",
		    "router %s does not know this cursor", r->spec.name);
	else if (rc == -EREMOTEIO)
		problem_set(&p, 409, "router-refused", "try again",
		    "router %s does not tell", r->spec.name);
	else
		live_problem(r, rc, NULL, &p);
	op_problem(rq, &p);
}

bool
live_is_there(const struct router *r, struct api_request *rq)
{
	struct problem p;

	if (router_is_live(r))
		return true;
	problem_init(&p);
	problem_set(&p, 409, "wrong-state", "PUT power running first",
	    "router %s is %s: its process can be asked while it runs",
	    r->spec.name, router_state_text(r->state));
	op_problem(rq, &p);
	return false;
}

bool
live_is_free(const struct router *r, struct api_request *rq, bool on_way)
{
	struct problem p;

	if (!on_way && !r->deleting)
		return true;
	problem_init(&p);
	if (r->deleting)
		problem_set(&p, 409, "wrong-state", "create a new one",
		    "router %s is being deleted", r->spec.name);
	else
		problem_set(&p, 503, "busy", "try again in a second",
		    "another change of it is on its way to router %s",
		    r->spec.name);
	op_problem(rq, &p);
	return false;
}
