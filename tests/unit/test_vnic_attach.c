/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_vnic_attach: geometry, header and descriptors that a router accepts, and
 * all the others, which it refuses without a mapping or descriptor left behind.
 */
#include "tests/unit/vnic_rig.h"

#include "lib/base.h"
#include "lib/region.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>

static const struct vnic_geometry good = {
	.n_queues = 3,
	.max_vnics = 2,
	.max_slots = 16,
	.ring_log2 = 9, /* pages, so that each number moves an offset */
	.stride = 1600,
	.slot_bytes = 1586,
	.headroom = 64,
};

static unsigned
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* --- layout ---------------------------------------------------------------------- */

static void
geometry_has_limits(void **state)
{
	static const struct {
		size_t field;
		uint32_t min, max;
	} limits[] = {
		{ offsetof(struct vnic_geometry, n_queues), 2, 16 },
		{ offsetof(struct vnic_geometry, max_vnics), 1, 32 },
		{ offsetof(struct vnic_geometry, max_slots), 2, 512 },
		{ offsetof(struct vnic_geometry, ring_log2), 4, 20 },
		{ offsetof(struct vnic_geometry, slot_bytes), 78, 1600 },
		{ offsetof(struct vnic_geometry, headroom), 0, 1572 },
	};
	struct vnic_layout l;

	(void)state;
	assert_int_equal(vnic_layout_make(&l, &good), 0);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct vnic_geometry g = good;
		uint32_t *v =
		    (uint32_t *)(void *)((char *)&g + limits[i].field);

		*v = limits[i].min;
		assert_int_equal(vnic_layout_make(&l, &g), 0);
		*v = limits[i].max;
		assert_int_equal(vnic_layout_make(&l, &g), 0);
		*v = limits[i].min - 1;
		if (limits[i].min > 0)
			assert_int_equal(vnic_layout_make(&l, &g), -EINVAL);
		*v = limits[i].max + 1;
		assert_int_equal(vnic_layout_make(&l, &g), -EINVAL);
		*v = UINT32_MAX;
		assert_int_equal(vnic_layout_make(&l, &g), -EINVAL);
	}
}

static void
a_stride_is_an_odd_number_of_lines(void **state)
{
	struct vnic_layout l;

	(void)state;
	for (uint32_t stride = 1586; stride < 2000; stride++) {
		struct vnic_geometry g = good;

		g.stride = stride;
		assert_int_equal(vnic_layout_make(&l, &g),
		    stride == 25 * 64 || stride == 27 * 64 ||
			    stride == 29 * 64 || stride == 31 * 64
			? 0
			: -EINVAL);
	}
}

/* Nothing is touched: addresses of a region that begins at one page. */
#define BASE ((void *)(uintptr_t)4096)

static size_t
offset(const void *p)
{
	return (size_t)(uintptr_t)p - 4096;
}

/* Asserts that [*at, *at + n) lies behind what came before, within end. */
static void
comes_next(size_t *at, size_t begin, size_t n, size_t end)
{
	assert_true(begin >= *at);
	assert_true(begin + n <= end);
	*at = begin + n;
}

static void
nothing_overlaps(void **state)
{
	struct vnic_geometry g = good;

	(void)state;
	for (g.max_vnics = 1; g.max_vnics <= 32; g.max_vnics++) {
		struct vnic_layout l;
		size_t at = 0, ring;

		assert_int_equal(vnic_layout_make(&l, &g), 0);
		ring = (size_t)8 << g.ring_log2;
		comes_next(&at, 0, sizeof(struct vnic_hdr), l.host_bytes);
		comes_next(&at, l.entries_off,
		    g.max_vnics * sizeof(struct vnic_entry), l.host_bytes);
		for (unsigned q = 0; q < g.n_queues; q++) {
			size_t end;

			assert_int_equal(l.host_queue_off % 4096, 0);
			comes_next(&at, offset(vnic_host_line(&l, BASE, q)), 64,
			    l.host_bytes);
			comes_next(&at, offset(vnic_host_beat(&l, BASE, q)), 64,
			    l.host_bytes);
			for (unsigned v = 0; v < g.max_vnics; v++)
				comes_next(&at,
				    offset(vnic_counters(&l, BASE, q, v)),
				    sizeof(struct vnic_counters), l.host_bytes);
			for (unsigned v = 0; v <= g.max_vnics; v++)
				comes_next(&at,
				    offset(vnic_rx_ring(&l, BASE, q, v)), ring,
				    l.host_bytes);
			end = l.host_queue_off + (q + 1) * l.host_queue_size;
			assert_true(at <= end);
		}
		at = 0;
		for (unsigned q = 0; q < g.n_queues; q++) {
			comes_next(&at, offset(vnic_router_line(&l, BASE, q)),
			    64, l.router_bytes);
			comes_next(&at, offset(vnic_router_beat(&l, BASE, q)),
			    64, l.router_bytes);
			for (unsigned v = 0; v < g.max_vnics; v++)
				comes_next(&at,
				    offset(vnic_tx_ring(&l, BASE, q, v)), ring,
				    l.router_bytes);
		}
		at = 0;
		for (unsigned q = 0; q < g.n_queues; q++)
			for (uint32_t s = 0; s < g.max_slots; s++)
				comes_next(&at,
				    offset(vnic_slot(&l, BASE, q, s)), g.stride,
				    l.pool_bytes);
	}
}

static void
a_geometry_is_made_for_an_mtu(void **state)
{
	static const unsigned mtus[] = { 68, 1280, 1500, 4000, 9000 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(mtus); i++) {
		for (unsigned slots = 2; slots <= 4096; slots += 511) {
			struct vnic_geometry g;
			struct vnic_layout l;

			vnic_geometry_for(&g, 2, 4, slots, mtus[i]);
			assert_int_equal(vnic_layout_make(&l, &g), 0);
			assert_int_equal(g.n_queues, 3);
			assert_true(g.max_slots >= slots);
			assert_true(
			    g.slot_bytes - g.headroom >= mtus[i] + 14 + 8);
		}
	}
}

static void
a_geometry_too_large_is_refused_later(void **state)
{
	static const unsigned slots[] = { (1 << 20) + 1, 1U << 31, UINT_MAX };
	struct vnic_geometry g;
	struct vnic_layout l;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(slots); i++) {
		vnic_geometry_for(&g, 1, 1, slots[i], 1500);
		assert_int_equal(vnic_layout_make(&l, &g), -EINVAL);
	}
	vnic_geometry_for(&g, 1, 1, 16, 20000);
	assert_int_equal(vnic_layout_make(&l, &g), -EINVAL);
	vnic_geometry_for(&g, 16, 1, 16, 1500);
	assert_int_equal(vnic_layout_make(&l, &g), -EINVAL);
	vnic_geometry_for(&g, 1, 1, 1 << 20, 1500);
	assert_int_equal(vnic_layout_make(&l, &g), 0);
}

/* --- attach ------------------------------------------------------------------------ */

static struct vnic_fds fds;

static int
open_set(void **state)
{
	(void)state;
	return vnic_create(&good, &fds);
}

static int
close_set(void **state)
{
	(void)state;
	vnic_fds_close(&fds);
	return 0;
}

static int
attach(void)
{
	struct vnic *v = NULL;
	unsigned before = open_fds();
	int rc = vnic_attach(&fds, &v);

	if (rc < 0)
		assert_null(v);
	vnic_detach(v);
	assert_int_equal(open_fds(), before);
	return rc;
}

static void
a_good_set_is_accepted(void **state)
{
	int ro = region_reopen_ro(fds.host);
	struct vnic_info info;
	struct vnic *v;

	(void)state;
	assert_true(ro >= 0);
	assert_int_equal(attach(), 0);
	close(fds.host);
	fds.host = ro;
	assert_int_equal(vnic_attach(&fds, &v), 0);
	assert_memory_equal(&vnic_layout(v)->g, &good, sizeof(good));
	assert_false(vnic_info(v, 0, &info));
	assert_false(vnic_info(v, 2, &info));
	vnic_detach(v);
	assert_ptr_equal(
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0),
	    MAP_FAILED);
}

/* What attach must say to a header of which one bit at byte i is flipped. */
static int
verdict_on(const struct vnic_hdr *hdr, size_t i)
{
	struct vnic_geometry g = good;
	struct vnic_layout l;

	if (i < offsetof(struct vnic_hdr, major))
		return -EPROTO;
	if (i < offsetof(struct vnic_hdr, minor))
		return -EPROTONOSUPPORT;
	if (i < offsetof(struct vnic_hdr, n_queues))
		return 0; /* a later minor: unknown features are ignored */
	/* two numbers that no offset or size depends on */
	g.slot_bytes = hdr->slot_bytes;
	g.headroom = hdr->headroom;
	if (i >= offsetof(struct vnic_hdr, slot_bytes) &&
	    i < offsetof(struct vnic_hdr, zero))
		return vnic_layout_make(&l, &g);
	return -EINVAL;
}

static void
every_number_of_the_header_counts(void **state)
{
	struct vnic_hdr hdr;

	(void)state;
	assert_int_equal(pread(fds.host, &hdr, sizeof(hdr), 0), sizeof(hdr));
	for (size_t i = 0; i < sizeof(hdr); i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			struct vnic_hdr other = hdr;

			((uint8_t *)&other)[i] ^= (uint8_t)(1U << bit);
			assert_int_equal(
			    pwrite(fds.host, &other, sizeof(other), 0),
			    sizeof(other));
			assert_int_equal(attach(), verdict_on(&other, i));
		}
	}
	assert_int_equal(pwrite(fds.host, &hdr, sizeof(hdr), 0), sizeof(hdr));
	assert_int_equal(attach(), 0);
}

static void
a_blank_header_is_none(void **state)
{
	struct vnic_hdr hdr = { 0 };

	(void)state;
	assert_int_equal(pwrite(fds.host, &hdr, sizeof(hdr), 0), sizeof(hdr));
	assert_int_equal(attach(), -EPROTO);
}

static int
memfd_of(size_t bytes, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	if (seals)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

/* Each region in turn is replaced by a memfd of that size and those seals. */
static void
replace_each(ptrdiff_t size_delta, int seals, int want)
{
	struct vnic_layout l;
	int *fd[3] = { &fds.host, &fds.router, &fds.pool };
	size_t bytes[3];

	vnic_layout_make(&l, &good);
	bytes[0] = l.host_bytes;
	bytes[1] = l.router_bytes;
	bytes[2] = l.pool_bytes;
	for (unsigned i = 0; i < 3; i++) {
		int saved = *fd[i];
		struct vnic_hdr hdr;

		*fd[i] = memfd_of(bytes[i] + (size_t)size_delta, seals);
		assert_int_equal(
		    pread(i ? fds.host : saved, &hdr, sizeof(hdr), 0),
		    sizeof(hdr));
		if (i == 0)
			assert_int_equal(
			    pwrite(*fd[i], &hdr, sizeof(hdr), 0), sizeof(hdr));
		assert_int_equal(attach(), want);
		close(*fd[i]);
		*fd[i] = saved;
	}
}

static void
seals_and_sizes_are_checked(void **state)
{
	const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

	(void)state;
	replace_each(0, all, 0);
	replace_each(0, 0, -EPERM);
	replace_each(0, F_SEAL_GROW | F_SEAL_SEAL, -EPERM);
	replace_each(0, F_SEAL_SHRINK | F_SEAL_SEAL, -EPERM);
	replace_each(0, F_SEAL_SHRINK | F_SEAL_GROW, -EPERM);
	replace_each(4096, all, -EINVAL);
	replace_each(-4096, all, -EINVAL);
}

static void
other_kinds_of_files_are_refused(void **state)
{
	struct vnic_fds saved = fds;
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	(void)state;
	fds.host = zero;
	assert_int_equal(attach(), -EPROTO);
	fds.host = event;
	assert_true(attach() < 0);
	fds.host = -1;
	assert_int_equal(attach(), -EBADF);
	fds = saved;
	fds.router = zero;
	assert_int_equal(attach(), -EINVAL);
	fds.router = saved.router;
	fds.pool = event;
	assert_int_equal(attach(), -EINVAL);
	fds = saved;
	close(zero);
	close(event);
}

static void
a_bell_for_each_queue(void **state)
{
	(void)state;
	fds.n_bells = 2;
	assert_int_equal(attach(), -EINVAL);
	fds.n_bells = 4;
	assert_int_equal(attach(), -EINVAL);
	fds.n_bells = 3;
	assert_int_equal(attach(), 0);
}

static void
the_environment_names_the_descriptors(void **state)
{
	static const char *const bad[] = { "", "3", "3,4,5", "a", "3,4,5,x",
		"3,4,5,-6", "3,4,5,6,", ",3,4,5,6", "3 4 5 6",
		"3,4,5,99999999999999999999", "3,4,5,2147483648",
		"0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20" };
	char text[128];
	struct vnic *v;

	(void)state;
	unsetenv("EUROPA_VNIC_FDS");
	assert_int_equal(vnic_attach_env(&v), -ENOENT);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		setenv("EUROPA_VNIC_FDS", bad[i], 1);
		assert_int_equal(vnic_attach_env(&v), -EINVAL);
	}
	snprintf(text, sizeof(text), "%d,%d,%d,%d,%d,%d", fds.host, fds.router,
	    fds.pool, fds.bell[0], fds.bell[1], fds.bell[2]);
	setenv("EUROPA_VNIC_FDS", text, 1);
	assert_int_equal(vnic_attach_env(&v), 0);
	vnic_detach(v);
	unsetenv("EUROPA_VNIC_FDS");
}

static void
a_set_that_cannot_be_made_leaves_nothing(void **state)
{
	struct vnic_geometry g = good;
	unsigned before = open_fds();
	struct vnic_fds out;

	(void)state;
	g.n_queues = 17;
	assert_int_equal(vnic_create(&g, &out), -EINVAL);
	assert_int_equal(open_fds(), before);
	assert_int_equal(vnic_create(&good, &out), 0);
	assert_int_equal(open_fds(), before + 6);
	vnic_fds_close(&out);
	assert_int_equal(open_fds(), before);
	vnic_fds_close(&out);
}

/* Runs in a child: the exit status is that of opening queue q. */
static int
open_elsewhere(unsigned q)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct vnic_queue *vq;
		struct vnic *v;
		int rc = vnic_attach(&fds, &v);

		if (rc == 0)
			rc = vnic_queue_open(v, q, &vq);
		_exit(-rc);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void
one_process_serves_a_queue(void **state)
{
	struct vnic_queue *q0, *q1, *none = NULL;
	struct vnic *v;

	(void)state;
	assert_int_equal(vnic_attach(&fds, &v), 0);
	assert_int_equal(vnic_queue_open(v, 3, &none), -EINVAL);
	assert_null(none);
	assert_int_equal(open_elsewhere(0), 0);
	assert_int_equal(vnic_queue_open(v, 0, &q0), 0);
	assert_int_equal(vnic_queue_open(v, 1, &q1), 0);
	assert_int_equal(open_elsewhere(0), -EBUSY);
	assert_int_equal(open_elsewhere(1), -EBUSY);
	assert_int_equal(open_elsewhere(2), 0);
	vnic_queue_close(q0);
	assert_int_equal(open_elsewhere(0), 0);
	assert_int_equal(open_elsewhere(1), -EBUSY);
	vnic_queue_close(q1);
	vnic_queue_close(NULL);
	vnic_detach(v);
	vnic_detach(NULL);
}

#define SET_TEST(f) cmocka_unit_test_setup_teardown(f, open_set, close_set)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(geometry_has_limits),
		cmocka_unit_test(a_stride_is_an_odd_number_of_lines),
		cmocka_unit_test(nothing_overlaps),
		cmocka_unit_test(a_geometry_is_made_for_an_mtu),
		cmocka_unit_test(a_geometry_too_large_is_refused_later),
		SET_TEST(a_good_set_is_accepted),
		SET_TEST(every_number_of_the_header_counts),
		SET_TEST(a_blank_header_is_none),
		SET_TEST(seals_and_sizes_are_checked),
		SET_TEST(other_kinds_of_files_are_refused),
		SET_TEST(a_bell_for_each_queue),
		SET_TEST(the_environment_names_the_descriptors),
		cmocka_unit_test(a_set_that_cannot_be_made_leaves_nothing),
		SET_TEST(one_process_serves_a_queue),
	};

	return cmocka_run_group_tests_name("vnic_attach", tests, NULL, NULL);
}
