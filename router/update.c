/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update: see update.h.
 */
#include "router/update.h"

#include "lib/log.h"

#include <sys/eventfd.h>

int
update_init(struct update *u)
{
	*u = (struct update){ .event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	return u->event < 0 ? -errno : 0;
}

void
update_destroy(struct update *u)
{
	base_close(u->event);
	u->event = -1;
}

void
update_end(struct update *u)
{
	uint64_t one = 1;

	/* pairs with update_is_back() */
	atomic_store_explicit(&u->given, false, memory_order_release);
	if (write(u->event, &one, sizeof(one)) < 0)
		log_err("update: %s", strerror(errno));
}
