/* SPDX-License-Identifier: Apache-2.0 */
/* servers: see servers.h. */
#include "cli/servers.h"

#include "lib/base.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/* The folder, made if need be. */
static int
config_dir(char out[PATH_MAX], struct err *e)
{
	const char *base = getenv("XDG_CONFIG_HOME");
	const char *user = getenv("HOME");
	int n;

	if (!(base && *base == '/') && !(user && *user == '/'))
		return err_set(e, -ENOENT,
		    "neither $HOME nor $XDG_CONFIG_HOME is a folder");
	if (base && *base == '/')
		n = snprintf(out, PATH_MAX, "%s", base);
	else
		n = snprintf(out, PATH_MAX, "%s/.config", user);
	if (n < 0 || n > PATH_MAX - 64)
		return err_set(e, -ENAMETOOLONG, "$HOME is too long");
	(void)mkdir(out, 0700);
	strcat(out, "/europa");
	(void)mkdir(out, 0700);
	return 0;
}

int
servers_read(json_t **out, struct err *e)
{
	char path[PATH_MAX];
	json_error_t why;
	json_t *doc;
	FILE *f;
	int rc = config_dir(path, e);

	if (rc < 0)
		return rc;
	strcat(path, "/servers.json");
	f = fopen(path, "re");
	if (!f && errno == ENOENT) {
		*out = json_object();
		return 0;
	}
	if (!f)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	doc = json_loadf(f, JSON_REJECT_DUPLICATES, &why);
	fclose(f);
	if (!json_is_object(doc)) {
		json_decref(doc);
		return err_set(e, -EBADMSG, "%s:%d: %s", path,
		    doc ? 1 : why.line, doc ? "want an object" : why.text);
	}
	*out = doc;
	return 0;
}

int
servers_write(const json_t *doc, struct err *e)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	int fd, rc = config_dir(path, e);
	FILE *f;

	if (rc < 0)
		return rc;
	strcat(path, "/servers.json");
	memcpy(temporary, path, strlen(path) + 1);
	strcat(temporary, ".XXXXXX");
	fd = mkostemp(temporary, O_CLOEXEC); /* 0600 */
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		base_close(fd);
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	}
	rc = json_dumpf(doc, f, JSON_INDENT(2) | JSON_SORT_KEYS);
	rc = rc == 0 && fflush(f) == 0 && fsync(fd) == 0 ? 0 : -EIO;
	fclose(f);
	if (rc == 0 && rename(temporary, path) == 0)
		return 0;
	unlink(temporary);
	return err_set(e, -EIO, "%s: cannot be written", path);
}

json_t *
servers_find(const json_t *doc, const char *name)
{
	if (!name)
		name = json_string_value(json_object_get(doc, "current"));
	if (!name)
		return NULL;
	return json_object_get(json_object_get(doc, "servers"), name);
}
