/* locale.c - see locale.h. newlocale of "C" needs no memory in the C libraries at hand. */
#include "base/locale.h"

static locale_t enter(const char *name) {
    const locale_t made = newlocale(LC_ALL_MASK, name, (locale_t)0);
    return made ? uselocale(made) : (locale_t)0;
}

locale_t locale_enter_plain(void) {
    return enter("C");
}

locale_t locale_enter_utf8(void) {
    const locale_t before = enter("C.UTF-8");
    return before ? before : enter("C");
}

void locale_leave(locale_t before) {
    if (before) freelocale(uselocale(before));
}
