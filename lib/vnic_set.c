/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vnic_set: the descriptors of a set, and how europad makes one. Who serves it,
 * as a router, is in vnic.c.
 */
#include "lib/base.h"
#include "lib/region.h"
#include "lib/vnic.h"

#include <sys/eventfd.h>

void
vnic_fds_init(struct vnic_fds *fds)
{
	fds->host = fds->router = fds->pool = -1;
	fds->n_bells = 0;
	for (unsigned i = 0; i < VNIC_MAX_QUEUES; i++)
		fds->bell[i] = -1;
}

void
vnic_fds_close(struct vnic_fds *fds)
{
	base_close(fds->host);
	base_close(fds->router);
	base_close(fds->pool);
	for (unsigned i = 0; i < VNIC_MAX_QUEUES; i++)
		base_close(fds->bell[i]);
	vnic_fds_init(fds);
}

static int
create_regions(const struct vnic_layout *l, struct vnic_fds *fds)
{
	fds->host = region_create("europa-host", l->host_bytes);
	if (fds->host < 0)
		return fds->host;
	fds->router = region_create("europa-router", l->router_bytes);
	if (fds->router < 0)
		return fds->router;
	fds->pool = region_create("europa-pool", l->pool_bytes);
	if (fds->pool < 0)
		return fds->pool;
	for (; fds->n_bells < l->g.n_queues; fds->n_bells++) {
		int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

		if (fd < 0)
			return -errno;
		fds->bell[fds->n_bells] = fd;
	}
	return 0;
}

int
vnic_create(const struct vnic_geometry *g, struct vnic_fds *out)
{
	struct vnic_hdr hdr = { 0 };
	struct vnic_layout l;
	struct vnic_fds fds;
	ssize_t n;
	int rc;

	vnic_fds_init(&fds);
	rc = vnic_layout_make(&l, g);
	if (rc < 0)
		return rc;
	rc = create_regions(&l, &fds);
	if (rc < 0)
		goto fail;
	vnic_layout_to_hdr(&l, &hdr);
	n = pwrite(fds.host, &hdr, sizeof(hdr), 0);
	if (n != (ssize_t)sizeof(hdr)) {
		rc = n < 0 ? -errno : -EIO;
		goto fail;
	}
	*out = fds;
	return 0;
fail:
	vnic_fds_close(&fds);
	return rc;
}
