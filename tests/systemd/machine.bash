# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# machine: a Debian with systemd as its PID 1, in a privileged container that
# boots in a fraction of a second; routers are containers in it.
#
# Its files are a copy of a tree that debootstrap made once, of the distribution
# and from the mirror that this machine is configured with, and that is kept in
# /var/cache/europa-tests. The network is its own and empty.

MACHINE_CACHE=${EUROPA_TEST_CACHE:-/var/cache/europa-tests}

# Why there can be none here; nothing if there can.
machine_lacks() {
  local tool
  [ "$(id -u)" = 0 ] || echo 'only root can start a machine'
  for tool in debootstrap lxc-start dpkg-deb ip curl jq sqlite3; do
    command -v $tool > /dev/null || echo "$tool is not installed"
  done
}

# What a package wants, the first of alternatives.
machine_depends() { # FILE.deb...
  local deb
  for deb in "$@"; do
    dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/[(|].*//; s/ //g'
  done | sort -u
}

# machine_tree FILE.deb...: a tree in which they can be installed; prints its
# folder. The first time it takes minutes.
machine_tree() {
  local suite mirror packages tree
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # shellcheck disable=SC2016 # apt's own variable
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' |
    grep '/debian/*$' | head -n 1)
  packages=systemd,systemd-sysv,iproute2,$(machine_depends "$@" | tr '\n' ',')
  tree=$MACHINE_CACHE/$suite-$(echo "$packages" | sha256sum | cut -c1-16)
  if [ ! -d "$tree" ]; then
    mkdir -p "$MACHINE_CACHE"
    rm -rf "$tree.new"
    debootstrap --variant=minbase --include="${packages%,}" "$suite" \
      "$tree.new" "$mirror" > "$MACHINE_CACHE/log" 2>&1 || {
      tail -n 5 "$MACHINE_CACHE/log" >&2
      return 1
    }
    rm -rf "$tree.new"/var/cache/apt/archives/*.deb "$tree.new"/var/lib/apt/lists/*
    mv "$tree.new" "$tree"
  fi
  echo "$tree"
}

# What has nothing to do in a container, or takes half a minute to find out.
machine_mask() { # ROOT
  local u
  for u in lxc.service lxc-net.service lxc-monitord.service \
    systemd-udevd.service systemd-udev-trigger.service \
    systemd-udevd-control.socket systemd-udevd-kernel.socket; do
    ln -sf /dev/null "$1/etc/systemd/system/$u"
  done
}

machine_config() {
  cat << CONF
lxc.uts.name = $MACHINE_NAME
lxc.rootfs.path = dir:$MACHINE_DIR/root
lxc.rootfs.managed = 0
lxc.init.cmd = /sbin/init
lxc.net.0.type = empty
lxc.autodev = 1
lxc.hook.autodev = $MACHINE_DIR/autodev
lxc.pty.max = 64
lxc.tty.max = 0
lxc.cap.drop =
lxc.signal.halt = SIGRTMIN+3
lxc.mount.auto = proc:rw sys:rw cgroup:rw:force
# the kernel gives a user namespace a /proc of its own only where a whole one is
# to be seen; systemd covers parts of the usual one
lxc.mount.entry = proc dev/.lxc/proc proc create=dir 0 0
lxc.mount.entry = sys dev/.lxc/sys sysfs create=dir 0 0
CONF
}

# machine_boot DIR NAME TREE: until systemd says that it has started everything.
machine_boot() {
  MACHINE_DIR=$1 MACHINE_NAME=$2
  cp -a "$3" "$MACHINE_DIR/root" || return 1
  machine_mask "$MACHINE_DIR/root"
  cat > "$MACHINE_DIR/autodev" << 'HOOK'
#!/bin/sh
mkdir -p "$LXC_ROOTFS_MOUNT/dev/net" &&
  mknod "$LXC_ROOTFS_MOUNT/dev/net/tun" c 10 200
HOOK
  chmod +x "$MACHINE_DIR/autodev"
  machine_config > "$MACHINE_DIR/config"
  lxc-start -P "$MACHINE_DIR" -n "$MACHINE_NAME" -f "$MACHINE_DIR/config" \
    -o "$MACHINE_DIR/lxc.log" -d || {
    cat "$MACHINE_DIR/lxc.log" >&2
    return 1
  }
  node_wait 30 machine_is_up || {
    machine systemctl --no-pager --failed >&2
    return 1
  }
}

machine_is_up() {
  machine systemctl is-system-running | grep -qE 'running|degraded'
}

# machine COMMAND...: runs it there.
machine() {
  lxc-attach -P "$MACHINE_DIR" -n "$MACHINE_NAME" --clear-env -- "$@" 3>&-
}

machine_pid() {
  lxc-info -P "$MACHINE_DIR" -n "$MACHINE_NAME" -p -H
}

machine_off() {
  lxc-stop -P "$MACHINE_DIR" -n "$MACHINE_NAME" -k 2> /dev/null
  rm -rf --one-file-system "$MACHINE_DIR"
}

# unit_is UNIT PROPERTY VALUE
unit_is() {
  [ "$(machine systemctl show -p "$2" --value "$1")" = "$3" ]
}

unit_pid() { machine systemctl show -p MainPID --value "$1"; }
