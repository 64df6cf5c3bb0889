#!/bin/sh
# build.sh ARCH OUT: the machine for ARCH (amd64 or arm64), the same bytes from the same compiler.
set -eu
case $1 in
amd64) cc=${CC_AMD64:-gcc} flags=-mgeneral-regs-only\ -fcf-protection=none ;;
arm64) cc=${CC_ARM64:-aarch64-linux-gnu-gcc} flags=-mgeneral-regs-only ;;
esac
# shellcheck disable=SC2086
exec $cc -std=gnu11 -Wall -Wextra -Werror -Os $flags -ffreestanding -fno-pic -fno-pie -no-pie -fno-stack-protector -fomit-frame-pointer \
	-fno-asynchronous-unwind-tables -fno-ident -nostdlib -static -s -Wl,--build-id=none,-z,noseparate-code,-z,norelro,-z,noexecstack,-z,max-page-size=4096 \
	-o "$2" "$(dirname "$0")/machine.c"
