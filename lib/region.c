/* SPDX-License-Identifier: Apache-2.0 */
/* region: memfds and their mappings, see region.h. */
#include "lib/region.h"

#include "lib/base.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

/* Kernels before 6.3 do not know MFD_NOEXEC_SEAL and say EINVAL. */
static int
memfd_open(const char *name)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	return fd < 0 ? -errno : fd;
}

int
region_create(const char *name, size_t bytes)
{
	scoped_close int fd = memfd_open(name);

	if (fd < 0)
		return fd;
	if (ftruncate(fd, (off_t)bytes) < 0 || fchmod(fd, 0600) < 0 ||
	    fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return steal_fd(fd);
}

int
region_reopen_ro(int fd)
{
	char path[64];
	int ro;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	return ro < 0 ? -errno : ro;
}

int
region_check(int fd, size_t bytes)
{
	struct stat st;
	int seals;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < 0 ||
	    (size_t)st.st_size != bytes)
		return -EINVAL;
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0)
		return -EINVAL; /* not a memfd */
	return (seals & SEALS) == SEALS ? 0 : -EPERM;
}

int
region_map(int fd, size_t bytes, enum region_access access, void **out)
{
	bool writable = access == REGION_RW || access == REGION_RW_LOCKED;
	void *addr = mmap(NULL, bytes,
	    writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);

	if (addr == MAP_FAILED)
		return -errno;
	if ((access == REGION_RO_LOCKED || access == REGION_RW_LOCKED) &&
	    mlock2(addr, bytes, MLOCK_ONFAULT) < 0) {
		int no = -errno;

		munmap(addr, bytes);
		return no;
	}
	*out = addr;
	return 0;
}

void
region_unmap(void *addr, size_t bytes)
{
	if (addr)
		munmap(addr, bytes);
}
