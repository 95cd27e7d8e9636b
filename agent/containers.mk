# SPDX-License-Identifier: Apache-2.0
# agent/containers.mk: the container back ends, and europa-launch
noinst_LIBRARIES += agent/libcontainers.a
agent_libcontainers_a_SOURCES = \
  agent/container.h \
  agent/container_fake.c \
  agent/container_lxc.c \
  agent/container_use.c agent/container_use.h \
  agent/cpu_time.c agent/cpu_time.h \
  agent/launch_args.c agent/launch_args.h \
  agent/launch_cgroup.c agent/launch_cgroup.h \
  agent/launch_cpuset.c \
  agent/launch_config.c agent/launch_config.h \
  agent/launch_report.c agent/launch_report.h \
  agent/launch_sweep.c
LIBCONTAINERS = agent/libcontainers.a

europalibexec_PROGRAMS += europa-launch
europa_launch_SOURCES = \
  agent/launch.c \
  agent/launch_guard.c agent/launch_guard.h
europa_launch_CFLAGS = $(AM_CFLAGS) $(LXC_CFLAGS) $(SECCOMP_CFLAGS)
europa_launch_LDADD = $(LIBCONTAINERS) $(LIBEUROPA) $(LXC_LIBS) $(SECCOMP_LIBS)
