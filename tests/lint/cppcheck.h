/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cppcheck: what some macros of <sys/queue.h> mean, for a checker that does not
 * read system headers. Included by nothing else.
 */
#ifndef LINT_CPPCHECK_H
#define LINT_CPPCHECK_H

#define TAILQ_HEAD(name, type)             \
	struct name {                      \
		struct type *first, **end; \
	}
#define TAILQ_ENTRY(type)                  \
	struct {                           \
		struct type *next, **prev; \
	}

#define TAILQ_FOREACH(p, head, field) \
	for ((p) = (head)->first; (p); (p) = (p)->field.next)

#define LIST_HEAD(name, type)       \
	struct name {               \
		struct type *first; \
	}
#define LIST_ENTRY(type)                   \
	struct {                           \
		struct type *next, **prev; \
	}
#define LIST_FOREACH(p, head, field) \
	for ((p) = (head)->first; (p); (p) = (p)->field.next)

#endif
