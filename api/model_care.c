/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_care: what europad does for a router without being asked each time: the
 * members restart_policy, protected and lease of its spec. See model.h.
 *
 * A lease says either how long it lasts from the request on, or when it ends;
 * what is left of it is the agent's to know, and no part of the spec.
 */
#include "api/model_int.h"

#include "lib/base.h"

#include <stdio.h>
#include <time.h>

enum { MAX_LEASE_S = 366 * 86400, TIME_BYTES = 24 };

static const char *const modes[] = {
	[MODEL_RESTART_ALWAYS] = "always",
	[MODEL_RESTART_ON_FAILURE] = "on-failure",
	[MODEL_RESTART_NEVER] = "never",
};

static const char *const ends[] = {
	[MODEL_LEASE_DELETE] = "delete",
	[MODEL_LEASE_STOP] = "stop",
};

/* The place of s in names, or -1. */
static int
place_of(const char *s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(s, names[i]) == 0)
			return (int)i;
	return -1;
}

static void
read_restart(struct model_restart *r, const struct model_reader *spec)
{
	static const char *const known[] = { "mode", "max_per_hour", NULL };
	static const struct model_range range = {
		.max = MODEL_MAX_RESTARTS,
	};
	const json_t *v = model_take_object(spec, "restart_policy");
	char at[MODEL_AT_BYTES];
	struct model_reader in;
	const char *mode;
	uint64_t max;
	int i;

	if (!v)
		return;
	model_at(at, spec->at, "restart_policy");
	if (!model_reader_begin(&in, v, at, known, spec->p))
		return;
	mode = model_take_string(&in, "mode", 64);
	i = mode ? place_of(mode, modes, ARRAY_SIZE(modes)) : (int)r->mode;
	if (i < 0)
		model_complain(
		    &in, "mode", "must be always, on-failure or never");
	else
		r->mode = (enum model_restart_mode)i;
	if (model_take_uint(&in, "max_per_hour", &range, &max))
		r->max_per_hour = (uint32_t)max; /* in range */
}

bool
model_time_parse(const char *s, int64_t *out)
{
	struct tm tm = { 0 };
	char again[TIME_BYTES];
	const char *end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);
	time_t t;

	if (!end || *end != '\0')
		return false;
	t = timegm(&tm);
	/* neither 31 February nor a year of five digits */
	strftime(again, sizeof(again), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	if (strcmp(again, s) != 0)
		return false;
	*out = t;
	return true;
}

void
model_time_text(int64_t t, char *buf, size_t size)
{
	time_t at = (time_t)t;
	struct tm tm;

	if (!gmtime_r(&at, &tm) ||
	    strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		buf[0] = '\0';
}

static void
read_lease_time(struct model_lease *l, const struct model_reader *in)
{
	static const struct model_range range = {
		.min = 1,
		.max = MAX_LEASE_S,
	};
	const char *s = model_take_string(in, "expires_at", TIME_BYTES);
	uint64_t seconds;

	if (json_object_get(in->obj, "seconds") &&
	    json_object_get(in->obj, "expires_at")) {
		model_complain(in, "expires_at",
		    "is one way to say it, and seconds the other");
		return;
	}
	if (s && !model_time_parse(s, &l->expires_at))
		model_complain(in, "expires_at",
		    "must be a time such as 2030-01-31T12:00:00Z");
	if (model_take_uint(in, "seconds", &range, &seconds))
		l->seconds = (uint32_t)seconds; /* in range */
	if (!json_object_get(in->obj, "seconds") && !s)
		model_complain(in, "seconds", "is missing");
}

static void
read_lease(struct model_router *r, const struct model_reader *spec)
{
	static const char *const known[] = { "seconds", "expires_at",
		"on_expiry", NULL };
	const json_t *v = json_object_get(spec->obj, "lease");
	struct model_lease l = { .is_there = true };
	char at[MODEL_AT_BYTES];
	struct model_reader in;
	const char *end;
	int i;

	if (!v || json_is_null(v))
		return;
	model_at(at, spec->at, "lease");
	if (!model_reader_begin(&in, v, at, known, spec->p))
		return;
	read_lease_time(&l, &in);
	end = model_take_string(&in, "on_expiry", 64);
	i = end ? place_of(end, ends, ARRAY_SIZE(ends)) : 0;
	if (i < 0)
		model_complain(&in, "on_expiry", "must be delete or stop");
	else
		l.end = (enum model_lease_end)i;
	if (r->is_protected && i == MODEL_LEASE_DELETE)
		model_complain(&in, "on_expiry",
		    "cannot delete a router that is protected; say stop");
	r->lease = l;
}

void
model_care_read(struct model_router *r, const struct model_reader *spec)
{
	read_restart(&r->restart, spec);
	model_take_bool(spec, "protected", &r->is_protected);
	read_lease(r, spec);
}

static json_t *
lease_json(const struct model_lease *l)
{
	char text[TIME_BYTES];

	if (!l->is_there)
		return json_null();
	if (l->seconds)
		return json_pack("{s:I, s:s}", "seconds",
		    (json_int_t)l->seconds, "on_expiry", ends[l->end]);
	model_time_text(l->expires_at, text, sizeof(text));
	return json_pack(
	    "{s:s, s:s}", "expires_at", text, "on_expiry", ends[l->end]);
}

void
model_care_put(json_t *spec, const struct model_router *r)
{
	json_object_set_new(spec, "restart_policy",
	    json_pack("{s:s, s:I}", "mode", modes[r->restart.mode],
		"max_per_hour", (json_int_t)r->restart.max_per_hour));
	json_object_set_new(spec, "protected", json_boolean(r->is_protected));
	json_object_set_new(spec, "lease", lease_json(&r->lease));
}
