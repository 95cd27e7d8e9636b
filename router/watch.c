/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: inotify on the folder, for the file is replaced by rename; or a look
 * at the file.
 */
#include "router/watch.h"

#include "lib/base.h"
#include "router/routerconf.h"

#include <stdio.h>
#include <sys/inotify.h>

/* Has it become another file, or have its bytes; is it gone? */
static bool
look_at(const char *path, struct stat *seen)
{
	struct stat now;
	bool changed;

	if (stat(path, &now) < 0)
		now = (struct stat){ 0 };
	changed = now.st_ino != seen->st_ino || now.st_size != seen->st_size ||
		  now.st_mtim.tv_sec != seen->st_mtim.tv_sec ||
		  now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec;
	*seen = now;
	return changed;
}

static bool
look(struct watch *w)
{
	bool changed = look_at(w->path, &w->seen) && w->seen.st_ino != 0;

	return look_at(w->rules, &w->seen_rules) || changed;
}

void
watch_look(struct watch *w, const char *path)
{
	const char *slash = strrchr(path, '/');

	*w = (struct watch){
		.fd = -1,
		.path = path,
		.name = slash ? slash + 1 : path,
	};
	look(w);
}

int
watch_open(struct watch *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";
	scoped_close int fd = -1;

	*w = (struct watch){
		.fd = -1,
		.path = path,
		.name = slash ? slash + 1 : path,
	};

	if (slash) {
		size_t n = slash == path ? 1 : (size_t)(slash - path);

		if (n >= sizeof(folder))
			return -ENAMETOOLONG;
		memcpy(folder, path, n);
		folder[n] = '\0';
	}
	if (snprintf(w->rules, sizeof(w->rules), "%.*s%s",
		(int)(w->name - path), path,
		ROUTERCONF_RULES) >= (int)sizeof(w->rules))
		return -ENAMETOOLONG;
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd >= 0 && inotify_add_watch(fd, folder,
			   IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE) >= 0) {
		w->fd = steal_fd(fd);
		return 0;
	}
	if (errno != EMFILE && errno != ENFILE && errno != ENOSPC)
		return -errno;
	look(w);
	return 0;
}

void
watch_close(struct watch *w)
{
	base_close(w->fd);
	w->fd = -1;
}

/* The configuration, or the rules beside it; those may also go. */
static bool
is_watched(const struct watch *w, const struct inotify_event *e)
{
	if (strcmp(e->name, ROUTERCONF_RULES) == 0)
		return true;
	return !(e->mask & IN_DELETE) && strcmp(e->name, w->name) == 0;
}

bool
watch_changed(struct watch *w)
{
	_Alignas(struct inotify_event) char buf[4096];
	bool changed = false;
	ssize_t n;

	if (w->fd < 0)
		return look(w);
	while ((n = read(w->fd, buf, sizeof(buf))) > 0) {
		const char *at = buf;

		while (at < buf + n) {
			const struct inotify_event *e =
			    (const struct inotify_event *)(const void *)at;

			if (e->mask & IN_Q_OVERFLOW ||
			    (e->len > 0 && is_watched(w, e)))
				changed = true;
			at += sizeof(*e) + e->len;
		}
	}
	return changed;
}
