/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_int: what the files of the model share; not for others.
 *
 * A reader walks one JSON object. Each model_take_*() looks one member up,
 * checks it, and either stores it or adds one entry to the problem; a missing
 * member leaves the target as it is, so targets hold their defaults. Readers go
 * on after an error: the client learns all of them at once.
 */
#ifndef API_MODEL_INT_H
#define API_MODEL_INT_H

#include "api/model.h"

#include <stddef.h>

enum {
	MODEL_AT_BYTES = 128, /* a JSON pointer, with its final zero */
	MODEL_MAX_ROUTES = 1024,
	MODEL_MIN_MTU = 68,
};

struct model_reader {
	const json_t *obj;
	const char *at; /* JSON pointer of obj */
	struct problem *p;
};

struct model_range {
	uint64_t min, max;
	bool is_bytes; /* text may end in B; limits are told with units */
	bool or_zero;  /* 0 is good too: no limit */
};

/* Puts at + "/" + key (escaped, cut to fit) into buf. */
void model_at(char buf[MODEL_AT_BYTES], const char *at, const char *key);
void model_at_index(char buf[MODEL_AT_BYTES], const char *at, size_t i);

/*
 * Begins to read v, which must be an object with members of known[] only (NULL
 * ends it). Returns false if it is no object.
 */
bool model_reader_begin(struct model_reader *in, const json_t *v,
    const char *at, const char *const *known, struct problem *p);

/* Adds an entry for the member key. Returns -EINVAL. */
int model_complain(const struct model_reader *in, const char *key,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Members by type; NULL: not there, or of another type and complained about. */
const json_t *model_take_object(const struct model_reader *in, const char *key);
const json_t *model_take_array(
    const struct model_reader *in, const char *key, size_t max);
const char *model_take_string(
    const struct model_reader *in, const char *key, size_t max_bytes);

/* Stores and returns true if the member is there and good. */
bool model_take_bool(const struct model_reader *in, const char *key, bool *out);
bool model_take_uint(const struct model_reader *in, const char *key,
    const struct model_range *range, uint64_t *out);
bool model_take_mtu(const struct model_reader *in, uint16_t *out);
/* The members of struct model_rates, and an object that holds them alone. */
#define MODEL_RATE_KEYS "rx_pps", "tx_pps", "rx_bps", "tx_bps", "burst_ms"
void model_rates_init(struct model_rates *r);
void model_rates_take(const struct model_reader *in, struct model_rates *r);
void model_rates_read(
    const struct model_reader *parent, const char *key, struct model_rates *r);
/* A name into out[size]: vNIC names by their smaller size. */
bool model_take_name(
    const struct model_reader *in, const char *key, char *out, size_t size);
/* Labels into *out, replacing what it held. */
void model_take_labels(const struct model_reader *in, json_t **out);
/* The member name beside what the URL says, see model_router_read(). */
void model_take_own_name(
    const struct model_reader *in, const char *url_name, char *out);

/* "10M", "256MiB": returns 0, -EINVAL or -ERANGE. */
int model_quantity_parse(const char *s, bool is_bytes, uint64_t *out);
/* "256 MiB" for whole units, else digits. */
void model_quantity_text(uint64_t v, bool is_bytes, char *buf, size_t size);

/* Return 0 or -EINVAL with why (a static sentence). */
int model_prefix_parse(
    const char *s, struct model_prefix *out, const char **why);
int model_address_parse(
    const char *s, struct model_prefix *out, const char **why);
int model_mac_parse(const char *s, uint8_t out[6], const char **why);

/* How a prefix is used. */
bool model_prefix_has(
    const struct model_prefix *net, const struct model_prefix *address);
bool model_prefix_has_host_bits(const struct model_prefix *p);
void model_prefix_mask(struct model_prefix *p);
/* Why p cannot be the address of an interface, or NULL. */
const char *model_address_flaw(const struct model_prefix *p);

/* The member match of a link; the second one sets it, if it says anything. */
void model_match_read(const struct model_reader *spec, struct model_match *out);
void model_match_put(json_t *spec, const struct model_match *m);

bool model_vnic_name_is_valid(const char *s);

/* restart_policy, protected and lease of a spec: model_care.c */
void model_care_read(struct model_router *r, const struct model_reader *spec);
void model_care_put(json_t *spec, const struct model_router *r);

/* One route; of one that is to be deleted the prefix alone counts. */
void model_route_read(
    struct model_route *out, const struct model_reader *in, bool is_delete);

/* v is the list; at its pointer. Replaces the routes of r on success. */
int model_route_list_read(
    struct model_router *r, const json_t *v, const char *at, struct problem *p);

#endif
