// One numbered test for each thing that linking can get wrong.
#include "second.h"

extern u32 missing(u32) __attribute__((weak));

static u32 increment(u32 a) { return a + 1; }
static u32 negate(u32 a) { return -a; }
static u32 apply_missing(u32 a) { return missing(a); }

static operation operations[] = {increment, negate, second_double, increment};
static const char *const names[] = {"one", "two", "three", "four"};
static u32 *const counter = &second_counter;
static u32 *const fifth = &second_table[5];

static u32 cleared[4096];
static volatile u32 order;

__attribute__((constructor)) static void start(void) { order = second_order + 1; }

u32 shadowed(void) { return 1; }

static u32 length(const char *s) {
    u32 n = 0;
    while (s[n]) n++;
    return n;
}

// A frame on the C stack for each level.
__attribute__((noinline)) static u32 deep(u32 n) {
    volatile u32 frame[16];
    for (u32 i = 0; i < 16; i++) frame[i] = n + i;
    return n ? deep(n - 1) + frame[n % 16] : frame[0];
}

static u32 choose(u32 n) {
    switch (n % 8) {
    case 0: return second_table[0];
    case 1: return length(names[1]);
    case 2: return *fifth;
    case 3: return (u32)(&second_table[6] - second_table);
    case 4: return cleared[n % 4096];
    case 5: return operations[n % 4](n);
    case 6: return deep(3);
    }
    return 99;
}

__attribute__((export_name("run"))) u32 run(u32 test, u32 n) {
    switch (test) {
    case 0: return second_add(n, 1);
    case 1: return ++second_counter + second_count(n);
    case 2: return operations[n % 4](n);
    case 3: return second_is_double(second_double) + 2 * second_is_double(operations[n % 4]);
    case 4: return second_apply(increment, n) + second_apply(operations[n % 4], n);
    case 5: cleared[n % 4096] += n; return cleared[n % 4096] + cleared[(n + 1) % 4096];
    case 6: return order;
    case 7: return missing ? missing(n) : 42;
    case 8: return shadowed() * 10 + second_calls_shadowed();
    case 9: return length(names[n % 4]) * 1000 + length(second_nodes[n % 3].name);
    case 10: return deep(n % 64);
    case 11: return (u32)second_wide(n, 3.5, 0.25f) ^ (u32)(second_wide((u64)n << 40, 2, 1) >> 32);
    case 12: *counter += 5; return second_count(0) + *fifth;
    case 13: return choose(n);
    case 14: return second_nodes[n % 3].next->next->next == &second_nodes[n % 3];
    case 15: return second_nodes[n % 3].run(n) + second_nodes[n % 3].next->run(n);
    case 16: return second_pick(n) == second_nodes[n % 3].run;
    case 17: return second_pick(0) == second_double && second_pick(0) == operations[2];
    case 18: return n == 12345 ? apply_missing(n) : 0;
    }
    return 0xffffffff;
}
