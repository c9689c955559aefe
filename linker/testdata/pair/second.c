#include "second.h"

u32 second_counter = 7;
u32 second_table[8] = {3, 1, 4, 1, 5, 9, 2, 6};
u32 second_order;
static volatile u32 zeroes[256]; // volatile: or the compiler runs the constructor itself

static u32 triple(u32 a) { return 3 * a; }
static u32 square(u32 a) { return a * a; }
u32 second_double(u32 a) { return 2 * a; }

struct node second_nodes[3] = {
    {"double", second_double, &second_nodes[1]},
    {"triple", triple, &second_nodes[2]},
    {"square", square, second_nodes},
};

__attribute__((constructor)) static void start(void) {
    // Constructors see relocated data and zeroed memory.
    second_order = 100 * (second_nodes[2].next == second_nodes) + zeroes[17];
    zeroes[17] = 1;
}

u32 second_add(u32 a, u32 b) { return a + b; }

u32 second_count(u32 by) {
    second_counter += by;
    return second_counter;
}

u32 second_apply(operation f, u32 a) { return f(f(a)); }

u32 second_is_double(operation f) { return f == second_double; }

operation second_pick(u32 which) {
    // Several pointers from one base, for which compilers keep the base.
    switch (which % 4) {
    case 0: return second_double;
    case 1: return triple;
    case 2: return square;
    }
    return 0;
}

__attribute__((weak)) u32 shadowed(void) { return 2; }

u32 second_calls_shadowed(void) { return shadowed(); }

u64 second_wide(u64 a, double b, float c) { return a * (u64)b + (u64)(c * 4); }
