/* SPDX-License-Identifier: BSD-3-Clause */
/* homeport-mn: the order of start and stop. */
#include "run.h"

enum { EXIT_CONTENT = 0, EXIT_DISAPPOINTED = 1, EXIT_USAGE = 2 };

int main(int argc, char **argv)
{
    struct options options;
    const enum options_result result = options_parse(argc, argv, &options);
    int status = result == OPTIONS_BAD ? EXIT_USAGE : EXIT_CONTENT;

    if (result == OPTIONS_RUN) {
        struct run *run = run_create(&options);
        status = run != NULL && run_loop(run) ? EXIT_CONTENT : EXIT_DISAPPOINTED;
        run_destroy(run);
    }
    options_clear(&options);
    return status;
}
