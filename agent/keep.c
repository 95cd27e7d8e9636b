/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep: see keep.h. A descriptor's name in the store is the router's uid, the
 * set's, and which of the set it is: "host", "router", "pool", a bell's number.
 */
#include "agent/keep.h"

#include "lib/base.h"
#include "lib/log.h"
#include "lib/ready.h"

#include <stdio.h>

enum { NAME_BYTES = 2 * UID_TEXT + 16, REGIONS = 3 };

static const char *const region_names[REGIONS] = { "host", "router", "pool" };

/* What the store gave back of one set; a router may have one of two by now. */
struct found {
	struct found *next;
	uint8_t uid[UID_BYTES];
	uint8_t set[UID_BYTES];
	int fd[WIRE_MAX_FDS]; /* -1: not there */
};

static void
name_of(const struct router *r, unsigned i, char out[NAME_BYTES])
{
	char set[UID_TEXT];

	uid_text(r->set, set);
	if (i < REGIONS)
		snprintf(out, NAME_BYTES, "%s.%s.%s", r->uid_text, set,
		    region_names[i]);
	else
		snprintf(
		    out, NAME_BYTES, "%s.%s.%u", r->uid_text, set, i - REGIONS);
}

void
keep_memory(const struct router *r)
{
	const int region[REGIONS] = { r->fds.host, r->fds.router, r->fds.pool };
	char name[NAME_BYTES];

	for (unsigned i = 0; i < REGIONS + r->fds.n_bells; i++) {
		name_of(r, i, name);
		ready_keep(
		    name, i < REGIONS ? region[i] : r->fds.bell[i - REGIONS]);
	}
}

void
keep_no_memory(const struct router *r)
{
	char name[NAME_BYTES];

	for (unsigned i = 0; i < REGIONS + r->fds.n_bells; i++) {
		name_of(r, i, name);
		ready_forget(name);
	}
}

/* --- what comes back --------------------------------------------------------- */

/* Which of its set the descriptor is; WIRE_MAX_FDS if that is no such word. */
static unsigned
place_of(const char *word)
{
	unsigned bell;
	char end;

	for (unsigned i = 0; i < REGIONS; i++)
		if (strcmp(word, region_names[i]) == 0)
			return i;
	if (sscanf(word, "%3u%c", &bell, &end) != 1 || bell >= VNIC_MAX_QUEUES)
		return WIRE_MAX_FDS;
	return REGIONS + bell;
}

static struct found *
find(struct found **list, const uint8_t *uid, const uint8_t *set)
{
	struct found *f = *list;

	while (f && (memcmp(f->uid, uid, UID_BYTES) != 0 ||
			memcmp(f->set, set, UID_BYTES) != 0))
		f = f->next;
	if (f)
		return f;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	memcpy(f->uid, uid, UID_BYTES);
	memcpy(f->set, set, UID_BYTES);
	for (unsigned i = 0; i < WIRE_MAX_FDS; i++)
		f->fd[i] = -1;
	f->next = *list;
	*list = f;
	return f;
}

/* Takes the descriptor, or closes it and has it forgotten. */
static void
sort_in(void *arg, const char *name, int fd)
{
	struct found **list = arg, *f = NULL;
	uint8_t uid[UID_BYTES], set[UID_BYTES];
	char text[NAME_BYTES];
	char *second, *third = NULL;
	unsigned at = WIRE_MAX_FDS;

	snprintf(text, sizeof(text), "%s", name);
	second = strchr(text, '.');
	if (second) {
		*second++ = '\0';
		third = strchr(second, '.');
	}
	if (third) {
		*third++ = '\0';
		at = place_of(third);
	}
	if (at < WIRE_MAX_FDS && uid_parse(text, uid) && uid_parse(second, set))
		f = find(list, uid, set);
	if (f && f->fd[at] < 0) {
		f->fd[at] = fd;
		return;
	}
	close(fd);
	ready_forget(name);
}

/* As if the data plane had told of it. */
static int
give_back(struct node *n, const struct found *f, struct wire_msg *m)
{
	struct router *r = node_router_by_uid(n, f->uid);
	struct vnic_layout l;
	struct vnic_hdr hdr;

	*m = (struct wire_msg){ .type = WIRE_SET_INFO };
	while (m->n_fds < WIRE_MAX_FDS && f->fd[m->n_fds] >= 0) {
		m->fds[m->n_fds] = f->fd[m->n_fds];
		m->n_fds++;
	}
	if (!r || r->deleting)
		return -ENOENT;
	if (m->n_fds == 0 ||
	    pread(m->fds[0], &hdr, sizeof(hdr), 0) != (ssize_t)sizeof(hdr) ||
	    vnic_layout_from_hdr(&l, &hdr) < 0)
		return -EBADMSG;
	memcpy(m->u.set.uid, f->uid, UID_BYTES);
	memcpy(m->u.set.set, f->set, UID_BYTES);
	m->u.set.g = l.g;
	return router_adopt_memory(r, m);
}

static void
forget(const struct found *f)
{
	struct router r = { .fds.n_bells = VNIC_MAX_QUEUES };

	memcpy(r.set, f->set, UID_BYTES);
	uid_text(f->uid, r.uid_text);
	keep_no_memory(&r);
	for (unsigned i = 0; i < WIRE_MAX_FDS; i++)
		base_close(f->fd[i]);
}

void
keep_restore(struct node *n)
{
	struct found *list = NULL;
	unsigned given = 0;

	ready_kept(sort_in, &list);
	while (list) {
		struct found *f = list;
		struct wire_msg m;

		list = f->next;
		if (give_back(n, f, &m) == 0 && m.n_fds == 0)
			given++;
		else
			forget(f);
		free(f);
	}
	if (given > 0)
		log_info("memory of %u routers came back", given);
}
