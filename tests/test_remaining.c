/* test_remaining.c - how long is left, by the last minute: a slow start must not count for ever. */
#include "testing.h"

#include "base/remaining.h"

#include <math.h>

static void nothing_is_said_before_it_is_known(void **state) {
    (void)state;
    struct remaining r = {0};
    assert_true(isnan(remaining_seconds(&r, 100, 1, 1000)));
    assert_true(isnan(remaining_seconds(&r, 104.9, 50, 1000)));
    assert_true(fabs(remaining_seconds(&r, 110, 101, 1000) - 89.9) < 1e-9); /* 100 in 10 s */
    struct remaining idle = {0};
    assert_true(isnan(remaining_seconds(&idle, 0, 1, 10)));
    assert_true(isnan(remaining_seconds(&idle, 50, 1, 10)));
}

/* What earlier calls have done says nothing about the speed of this one. */
static void a_resumed_run_counts_from_where_it_goes_on(void **state) {
    (void)state;
    struct remaining r = {0};
    remaining_seconds(&r, 0, 900, 1000);
    assert_true(fabs(remaining_seconds(&r, 10, 910, 1000) - 90) < 1e-9);
}

static void the_last_minutes_decide(void **state) {
    (void)state;
    struct remaining r = {0};
    double done = 0, left = 0;
    for (int second = 0; second <= 600; second++) {
        done += second < 300 ? 1 : 10; /* a first half at a tenth of the speed */
        left = remaining_seconds(&r, second, done, 10000);
        if (second == 290) assert_true(left > 9000);
    }
    assert_true(fabs(left - (10000 - done) / 10) < 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_before_it_is_known),
        cmocka_unit_test(a_resumed_run_counts_from_where_it_goes_on),
        cmocka_unit_test(the_last_minutes_decide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
