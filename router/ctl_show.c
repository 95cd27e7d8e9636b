/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_show: what there is, as JSON: neighbours, interfaces, counters, drops.
 */
#include "router/ctl_int.h"

#include "router/ctl_names.h"

#include <arpa/inet.h>
#include <stdio.h>

const char *
ctl_address(bool is6, struct ip6 ip, char out[48])
{
	uint8_t bytes[16];

	if (is6) {
		ip6_store(bytes, ip);
		inet_ntop(AF_INET6, bytes, out, 48);
	} else {
		store_be32(bytes, (uint32_t)ip.lo); /* all of it */
		inet_ntop(AF_INET, bytes, out, 48);
	}
	return out;
}

const char *
ctl_vnic_name(const struct ctl *c, unsigned i)
{
	const struct routerconf *conf = &c->view.feed->conf;

	return i < VNIC_MAX_VNICS && conf->vnic[i].present ? conf->vnic[i].name
							   : "";
}

static void
put_mac(struct text *t, const uint8_t *mac)
{
	text_key(t, "mac");
	text_printf(t, "\"%02x:%02x:%02x:%02x:%02x:%02x\"", mac[0], mac[1],
	    mac[2], mac[3], mac[4], mac[5]);
}

/* --- neighbours ----------------------------------------------------------- */

static void
put_neighbours(struct ctl *c, struct ctl_client *k)
{
	static const char *const states[] = { "none", "asking", "known",
		"probing", "failed" };
	struct text *t = &k->answer;
	char ip[48];

	text_open(t, NULL, '{');
	text_open(t, "neighbours", '[');
	for (unsigned i = 0; i < c->snapshot.n; i++) {
		const struct snapshot_neighbour *n = &c->snapshot.neighbour[i];
		bool known =
		    n->state == NEIGH_KNOWN || n->state == NEIGH_PROBING;

		text_open(t, NULL, '{');
		text_string(t, "address", ctl_address(n->is6, n->ip, ip));
		text_string(t, "interface", ctl_vnic_name(c, n->vnic));
		if (known)
			put_mac(t, n->mac);
		else
			text_null(t, "mac");
		text_string(t, "state", states[n->state]);
		text_number(t, "waiting", n->n_pending);
		text_number(t, "due_ms", n->due_ms);
		text_close(t, '{');
	}
	text_close(t, '[');
	text_close(t, '{');
	ctl_answer(k);
}

static void
await_neighbours(struct ctl *c, struct ctl_client *k)
{
	if (snapshot_is_there(&c->snapshot))
		put_neighbours(c, k);
}

static void
show_neighbours(struct ctl *c, struct ctl_client *k)
{
	if (snapshot_is_there(&c->snapshot)) {
		snapshot_ask(&c->snapshot);
		bell_ring(&c->view.slow->bell);
	}
	k->work = await_neighbours;
	k->state = CTL_WORKS;
}

/* --- interfaces ----------------------------------------------------------- */

static void
put_addresses(struct text *t, const struct routerconf_vnic *v)
{
	char ip[48], prefix[64];

	text_open(t, "addresses", '[');
	for (unsigned i = 0; i < v->n_addresses; i++) {
		ctl_address(false, ip6_of_ip4(v->address[i].ip), ip);
		snprintf(
		    prefix, sizeof(prefix), "%s/%u", ip, v->address[i].len);
		text_string(t, NULL, prefix);
	}
	for (unsigned i = 0; i < v->n_addresses6; i++) {
		ctl_address(true, v->address6[i].ip, ip);
		snprintf(
		    prefix, sizeof(prefix), "%s/%u", ip, v->address6[i].len);
		text_string(t, NULL, prefix);
	}
	text_close(t, '[');
}

static void
show_interfaces(struct ctl *c, struct ctl_client *k)
{
	struct text *t = &k->answer;
	struct vnic_info info;

	text_open(t, NULL, '{');
	text_open(t, "interfaces", '[');
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++) {
		const struct routerconf_vnic *v = &c->view.feed->conf.vnic[i];

		if (!vnic_info(c->view.vnic, i, &info))
			continue;
		text_open(t, NULL, '{');
		text_string(t, "name", v->present ? v->name : info.name);
		text_number(t, "index", i);
		put_mac(t, info.mac);
		text_number(t, "mtu", info.mtu);
		text_bool(t, "up", info.up);
		put_addresses(t, v);
		text_close(t, '{');
	}
	text_close(t, '[');
	text_close(t, '{');
	ctl_answer(k);
}

/* --- counters ------------------------------------------------------------- */

static uint64_t
sum_of(const struct ctl *c, unsigned which)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < c->view.n_paths; i++)
		sum += count_read(&c->view.paths[i].count, which);
	return sum;
}

static void
show_counters(struct ctl *c, struct ctl_client *k)
{
	struct text *t = &k->answer;
	char name[32];

	text_open(t, NULL, '{');
	text_number(t, "generation",
	    atomic_load_explicit(
		&c->view.slow->generation, memory_order_acquire));
	text_open(t, "counters", '{');
	for (unsigned i = 0; i < N_COUNTERS; i++)
		text_number(t, count_name(i), sum_of(c, i));
	for (unsigned i = 1; i <= FILTER_MAX_RULES; i++) {
		/* relaxed: a counter */
		uint64_t n = atomic_load_explicit(
		    &c->view.slow->hits.packets[i], memory_order_relaxed);

		snprintf(name, sizeof(name), "filter_%u", i);
		if (n > 0)
			text_number(t, name, n);
	}
	text_close(t, '{');
	text_close(t, '{');
	ctl_answer(k);
}

static void
show_drops(struct ctl *c, struct ctl_client *k)
{
	struct text *t = &k->answer;

	text_open(t, NULL, '{');
	text_open(t, "drops", '[');
	for (unsigned i = 0; i < N_COUNTERS; i++) {
		const char *module = ctl_drop_module(i);
		uint64_t n = module ? sum_of(c, i) : 0;

		if (n == 0)
			continue;
		text_open(t, NULL, '{');
		text_string(t, "module", module);
		text_string(t, "reason", count_name(i));
		text_number(t, "packets", n);
		text_close(t, '{');
	}
	text_close(t, '[');
	text_close(t, '{');
	ctl_answer(k);
}

/* --- which ---------------------------------------------------------------- */

static const struct {
	const char *word;
	void (*run)(struct ctl *c, struct ctl_client *k);
	unsigned max_words; /* with "show" and this one */
} shows[] = {
	{ "routes", ctl_show_routes, 6 },
	{ "neighbours", show_neighbours, 2 },
	{ "interfaces", show_interfaces, 2 },
	{ "counters", show_counters, 2 },
	{ "drops", show_drops, 2 },
	{ "pipeline", ctl_show_pipeline, 2 },
	{ "revision", ctl_show_pipeline, 3 },
};

void
ctl_show(struct ctl *c, struct ctl_client *k)
{
	for (size_t i = 0; k->n_words > 1 && i < ARRAY_SIZE(shows); i++) {
		if (strcmp(k->word[1], shows[i].word) != 0)
			continue;
		if (k->n_words > shows[i].max_words)
			ctl_error(k, CTL_INVALID, 0, "too many words");
		else
			shows[i].run(c, k);
		return;
	}
	ctl_error(k, CTL_UNKNOWN, 0,
	    "expected: show routes, neighbours, interfaces, counters, drops, "
	    "pipeline or revision");
}
