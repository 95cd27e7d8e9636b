/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: a sentence with subject and cause, lower case, no trailing dot, keys
 * last (router=r1 port=2). To stderr, with the "<N>" level prefix that the
 * service manager reads when it holds our stderr (JOURNAL_STREAM is set).
 *
 * err = something promised is not delivered; warn = someone should look.
 * Never called from a data path.
 */
#ifndef EUROPA_LOG_H
#define EUROPA_LOG_H

enum log_level {
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARN = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/*
 * ident borrows the program's name; messages above level are dropped. Call once
 * before threads start. Without it: ident "europa", level info.
 */
void log_init(const char *ident, enum log_level level);

/* Returns the level of that name (err, warn, info, debug), or -EINVAL. */
int log_level_parse(const char *name);
/* For conf.h: what a level has to be, NULL if name is one. */
const char *log_level_check(const char *name);

void log_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
