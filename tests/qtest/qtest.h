/* SPDX-License-Identifier: MIT */
/*
 * A QEMU without a guest: its machine's ports and memory are accessed over the qtest protocol, and its
 * monitor over QMP. No virtual processor runs; time and the device's threads do.
 *
 * The programs abort with a message where something fails that is no test's business.
 */
#ifndef QTEST_H
#define QTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QT_TIMEOUT_MS	20000

struct qtest;

/**
 * qt_start() - run QEMU
 * @args: its arguments, NULL-terminated; accelerator, qtest and monitor come on top
 *
 * The program is $QUILL_QEMU, else build/qemu/qemu-system-x86_64; the device's library $QUILL_EMU_LIB, else
 * build/lib/libquill-emu.so.1.
 */
struct qtest *qt_start(const char *const *args);
/** qt_stop() - end it by QMP's quit, which must work */
void qt_stop(struct qtest *q);
/** qt_wait_exit() - wait for QEMU to end by itself; its status */
int qt_wait_exit(struct qtest *q);

void qt_outl(struct qtest *q, uint16_t port, uint32_t value);
uint32_t qt_inl(struct qtest *q, uint16_t port);
/** qt_read(), qt_write() - one access of @size 1, 2, 4 or 8 bytes */
uint64_t qt_read(struct qtest *q, uint64_t addr, unsigned int size);
void qt_write(struct qtest *q, uint64_t addr, unsigned int size, uint64_t value);
void qt_get(struct qtest *q, uint64_t addr, void *to, size_t size);
void qt_put(struct qtest *q, uint64_t addr, const void *from, size_t size);

/** qt_qmp() - send a command, as JSON; the answer, good until the next one */
const char *qt_qmp(struct qtest *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** qt_hmp() - a command of the human monitor; the answer is still JSON's string */
const char *qt_hmp(struct qtest *q, const char *command);
/** qt_event() - wait for a QMP event that holds @what */
bool qt_event(struct qtest *q, const char *what);

__attribute__((noreturn, format(printf, 1, 2))) void qt_die(const char *fmt, ...);
uint64_t qt_now_ms(void);

#endif /* QTEST_H */
