/* cli.h - what the commands share: the table of options, progress, errors turned into words. The command
 * line knows the library only through caelum.h. Results go to stdout, everything else to stderr. */
#ifndef CAELUM_CLI_H
#define CAELUM_CLI_H

#include "base/error.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/option.h"
#include "base/path.h"
#include "caelum.h"

#include <jansson.h>
#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

/* --- Options -------------------------------------------------------------------------------------- */

/* The value of a CAELUM_OPTION_LIST. */
enum { OPTION_WORDS_MOST = 256 };
struct option_words {
    const char *word[OPTION_WORDS_MOST];
    size_t count;
};

/* Rows of a command's options: members of the struct S of its values; CHOICE: by one of `words`. */
#define OPTION(KIND, S, letter_, name_, member, value_, help_)                                             \
    {                                                                                                      \
        .letter = (letter_), .name = (name_), .kind = CAELUM_OPTION_##KIND, .offset = offsetof(S, member), \
        .value = (value_), .help = (help_)                                                                 \
    }
#define CHOICE(S, name_, member, words_, help_)                                                        \
    {                                                                                                  \
        .name = (name_), .kind = CAELUM_OPTION_WORD, .offset = offsetof(S, member), .words = (words_), \
        .help = (help_)                                                                                \
    }
/* Help of options that many commands have. */
#define THREADS_HELP "threads, 1 to 4096; no influence on the result"
#define CACHE_HELP "directory of prepared data; default ~/.cache/caelum"
#define END_OF_OPTIONS \
    { .name = NULL }
enum { OPTIONS_MOST = 64 }; /* of a command */

struct command {
    const char *name, *arguments, *summary, *example;
    const char *group;                  /* title of the commands from here on; NULL: as before */
    const struct caelum_option *rows;   /* NULL: none */
    const struct caelum_option *shared; /* rows of a part of the values, `shared_at`; NULL: none */
    size_t shared_at;
    bool display; /* takes --color, --progress and --quiet */
    bool outside; /* may start programs and reach other machines; the rest are confined */
    bool alone;   /* is about the program: a mistake in a file must not keep it from running */
    size_t size;  /* of the values */
    void (*defaults)(void *values); /* NULL: all zero */
    /* n arguments. 0; a negative code, with err filled, which is then reported; or an exit status. */
    int (*run)(void *values, int n, char **words, struct caelum_error *err);
    /* Ends what must not be left to the end of the process, which ends all else that run has opened; NULL:
     * nothing. */
    void (*close)(void *values);
};

/* From now on this process starts no programs, opens no sockets and looks into no other processes. */
void confine(void);

/* command_NAME: the texts that help shows, then what else is set. */
#define COMMAND(name_, arguments_, summary_, example_, ...) \
    const struct command command_##name_ = {                \
        .name = #name_, .arguments = arguments_, .summary = summary_, .example = example_, __VA_ARGS__}

extern const struct command *const commands[]; /* NULL at the end */

/* Where an option's value came from, the weakest first. */
enum option_origin { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENVIRONMENT, ORIGIN_FLAG };

enum display_mode { DISPLAY_AUTO, DISPLAY_ALWAYS, DISPLAY_NEVER };
struct display {
    int color, progress; /* enum display_mode */
    bool quiet;          /* nothing but results and errors */
    bool silent;         /* not even these: another process says them */
};
extern struct display display;                    /* of the command that runs */
extern const struct caelum_option display_rows[]; /* --color, --progress, --quiet */

struct option {
    const struct caelum_option *row;
    void *value;
    enum option_origin origin;
    const char *place; /* the file and line, or variable, that has set it: "caelum.conf:3"; else NULL */
    char variable[64];
};
/* A command's options with their values. */
struct options {
    const struct command *command; /* NULL: what all commands share */
    void *values;
    struct display display;
    size_t count;
    struct option list[OPTIONS_MOST];
};

/* All at their defaults. Ends the program if there is no memory. */
void options_open(struct options *options, const struct command *command);
void options_close(struct options *options);
/* By its name of that length; NULL if there is none. */
struct option *options_find(struct options *options, const char *name, size_t length);

/* Reads what the command line sets, then the environment and files (config.c), and runs the command. */
int options_run(const struct command *command, int argc, char **argv);
/* Where the value of an option of the running command came from. */
enum option_origin options_origin(const char *name);
/* The place that set the option which a complaint is about: "lr_gamma: expected ...". NULL if it came from
 * elsewhere, or the complaint is about something else. */
const char *options_place(const char *complaint);

/* Sets a value from text, which is kept, not copied. 0, or CAELUM_EUSAGE with what was expected. */
int option_set(const struct caelum_option *row, void *value, const char *text, struct caelum_error *err);
/* What stands for the value in help: "DIR", "mse|bce|l1"; NULL for a flag. */
const char *option_argument(const struct caelum_option *row, char text[256]);
/* Flags that are meant anew each time: neither the environment nor files set them. */
bool option_by_hand(const struct caelum_option *row);

const struct command *command_find(const char *name);
void help_print(const struct command *command, FILE *to);
/* All commands by their groups, for somebody who has named none. */
void commands_overview(FILE *to);
/* Their names, in that order, and NULL; returns their number. */
enum { COMMANDS_MOST = 64 };
size_t command_names(const char *names[COMMANDS_MOST]);
/* The command that a command's only argument names, NULL where there is no argument. 0, or exit status 2. */
int command_argument(const char *self, int n, char **words, const struct command **command);
/* A usage error: prints the sentence and where help is; returns exit status 2. */
int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
int unknown_command(const char *word);

/* --- Configuration -------------------------------------------------------------------------------- */

/* Sets those options that have come from no flag by what stands in the environment, ./caelum.conf and the
 * user's file. Fails with CAELUM_EUSAGE for a bad value or a key that no command has, CAELUM_EIO for a file
 * that can't be read. Texts last as long as the program. */
int config_apply(struct options *options, struct caelum_error *err);

/* --- Errors and results --------------------------------------------------------------------------- */

/* How a piece of text stands out. style() is "" where colors are not wanted. */
enum style { STYLE_PLAIN, STYLE_ERROR, STYLE_WARNING, STYLE_GOOD, STYLE_HEADING };
/* Escape sequence that starts a style on stdout or stderr; STYLE_PLAIN ends it. */
const char *style(FILE *to, enum style style);
/* Decides on colors, for stdout and stderr apart, by a --color mode, NO_COLOR, the force variables and the
 * terminal. */
void style_choose(int mode);

/* Writes a text in which control characters, which names of files may have, are shown as \xHH: none of them
 * may move the cursor or change a terminal's settings. */
void put_plain(FILE *to, const char *text);
/* Prints "caelum: ..." and returns the exit status for the error's code. */
int report(const struct caelum_error *err);
/* Likewise for what is no failure; says nothing when --quiet is set. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints JSON on stdout and frees it. Where it could not be made whole - NULL - that is said instead, and the
 * program ends with a status other than 0. */
void print_json(json_t *object);
/* The same on one line, which is written out at once. */
void print_json_line(json_t *object);
/* An array of three: channels, height, width. */
json_t *json_sizes(size_t a, size_t b, size_t c);
extern const char *const eval_splits[]; /* names by enum caelum_split, NULL at the end */
/* For caelum_data_settings.opened: warns of files that were skipped, naming the first of them. */
void data_opened(void *cookie, const caelum_data *data);
/* "4,911": thousands apart. text: [32]. */
const char *grouped(size_t n, char text[32]);
/* Ends the program; for what is needed before a command runs. */
_Noreturn void out_of_memory(void);
/* The command as it could be typed again, with what files and the environment have added. */
extern char *command_line;
/* Adds a word, or --OPTION=WORD if `option` is not NULL, quoted where a shell would need that. Ends the
 * program if there is no memory for it. */
void command_line_add(const char *option, const char *word);

/* --- Paths ---------------------------------------------------------------------------------------- */

enum { NAME_SIZE = 256 }; /* of a file, its end included: no file system takes more */

/* "photo" of "some/photo.jpg"; "stdin" of "-". */
void path_stem(const char *path, char *stem, size_t size);
/* The run directory of a network or study where none is named: "runs/standard" of models/standard.net, and
 * `behind`. Returns path. */
enum { RUN_SIZE = PATH_SIZE + 32 };
const char *path_run(const char *file, const char *behind, char path[RUN_SIZE]);
/* CAELUM_EIO if there is such a file already, unless `force`. */
int path_free(const char *path, bool force, struct caelum_error *err);
/* DIR/STEM and an ending; in front of STEM nothing if dir is "". CAELUM_EUSAGE if the name or the path is
 * longer than can be. */
int path_result(const char *dir, const char *stem, const char *ending, char *path, size_t size,
                struct caelum_error *err);
/* DIR/STEM.png, as path_free has it. */
int path_picture(const char *dir, const char *stem, bool force, char *path, size_t size,
                 struct caelum_error *err);
/* The file that a word means: itself if there is such a file or it has a '/' in it, else the network or model
 * of that name that comes with the program, with `ending` (".net", ".safetensors") or in full. The word
 * itself where there is none, for the usual complaint. Those are in $CAELUM_MODELS if that is set, else
 * beside the program's directory. */
const char *path_shipped(const char *word, const char *ending, char path[PATH_SIZE]);
/* Loads the model that a word means, or, where it is NULL, the file of that name that comes with the program.
 */
int model_open(caelum_model **model, const char *word, const char *standard, struct caelum_error *err);
/* Finds what comes with the program: "studies/assignment.study", "models". */
bool path_program(const char *name, char path[PATH_SIZE]);
/* Finds the page, caelum.html. CAELUM_EIO. */
int page_path(char path[PATH_SIZE], struct caelum_error *err);

/* A picture that somebody names: a file; "-" or another pipe. */
struct input {
    char *path;
    bool piped; /* no file on a disk: it can be read once, and there is nothing next to it */
    bool done;  /* its result is there, as this file: */
    dev_t device;
    ino_t inode;
};
/* The pictures that arguments name: files; pipes; those in a folder, in the order of their names; those that
 * a pattern matches. */
struct inputs {
    struct input *list;
    size_t count;
};
/* Whether a file is there and is a picture shows when it is read, so all but a lack of memory is told of one
 * picture and leaves the others alone; CAELUM_EIO if there is none at all. What a folder has besides pictures
 * is left out with a word: folders and hidden files without one, pipes and devices, files of file managers
 * and photo programs, and, if `result` is not NULL, NAME<result>.* where NAME.* is there: what an earlier
 * call has made of it. */
int inputs_open(struct inputs *inputs, char **words, int n, const char *result, struct caelum_error *err);
/* Loads one. */
int input_load(const struct input *input, struct caelum_picture *picture, struct caelum_error *err);
/* Whether input i's result may go to `path`. CAELUM_EUSAGE if it would replace the picture itself or the
 * result of another, CAELUM_EIO as path_free. */
int inputs_claim(const struct inputs *inputs, size_t i, const char *path, bool force,
                 struct caelum_error *err);
/* Notes that it is there. */
void inputs_wrote(struct inputs *inputs, size_t i, const char *path);

/* Pictures made of pictures, one of each. */
struct results {
    const char *out;    /* a directory; NULL: beside the picture, or standard output for a pipe */
    const char *beside; /* behind the name of one beside: "-color" */
    int format;         /* enum caelum_picture_format */
    bool force, json;   /* replace files; JSON is printed */
    struct inputs inputs;
};
/* The rows of a command whose struct has `results`, and `settings` with `threads`. */
#define RESULT_OPTIONS(STRUCT)                                                                   \
    CHOICE(STRUCT, "format", results.format, picture_formats, "format of the pictures written"), \
        OPTION(FLAG, STRUCT, 0, "force", results.force, NULL,                                    \
               "overwrite existing files; with -, write to a terminal too"),                     \
        OPTION(THREADS, STRUCT, 't', "threads", settings.threads, "N", THREADS_HELP),            \
        OPTION(FLAG, STRUCT, 0, "json", results.json, NULL, "print a JSON object for each picture")
extern const char *const picture_formats[]; /* words for enum caelum_picture_format, and endings of files */
/* inputs_open for these; CAELUM_EUSAGE if one would go where it can't. */
int results_open(struct results *results, char **words, int n, const char *beside, struct caelum_error *err);
/* Makes the directory: before the first is written. */
int results_begin(const struct results *results, struct caelum_error *err);
/* Where that of picture i goes: DIR/STEM.FORMAT, or beside it STEM<beside>.FORMAT, as inputs_claim has it;
 * "-" for standard output. */
int result_path(const struct results *results, size_t i, char path[PATH_SIZE], struct caelum_error *err);
int result_write(struct results *results, size_t i, const char *path, const struct caelum_picture *picture,
                 struct caelum_error *err);

/* Does one of several things. The pictures are zeroed, for the visitor to fill; each() frees them. */
enum { PICTURES = 3 };
typedef int one_of_many(void *cookie, size_t i, struct caelum_picture pictures[PICTURES],
                        struct caelum_error *err);
/* Does all of them, `doing` ("coloring") being shown meanwhile. Those that fail are named, the others done
 * all the same, but for what comes behind a signal; in the end there is one line about `undone` ("colored").
 * The exit status: that of all that failed, or 3 where they failed in several ways. */
int each(const char *doing, const char *undone, size_t count, one_of_many *visit, void *cookie);
/* Does one. */
int each_one(one_of_many *visit, void *cookie, size_t i, struct caelum_error *err);

/* Files of file managers and photo programs, which are next to pictures and about them. */
bool is_companion(const char *name);
/* Takes each picture that is in a folder, or is put there, until a signal comes. A file is taken when it has
 * not changed for a moment; one that can't be taken is tried again, and reported where it has not changed for
 * ten seconds. CAELUM_EIO where the folder can't be read. */
typedef int picture_taker(void *cookie, const char *path, struct caelum_error *err);
int watch_folder(const char *directory, picture_taker *visit, void *cookie, struct caelum_error *err);

/* --- Progress and signals ------------------------------------------------------------------------- */

/* Callbacks for the library; both return non-zero once a signal has come. */
int progress_stage(void *cookie, const char *what, size_t done, size_t total);
int progress_train(void *cookie, const struct caelum_train_progress *progress);
/* Whether a line on what is being done is wanted now: on a terminal, where one line is redrawn, at most six
 * times a second; elsewhere where nothing was said for 30 s. */
bool progress_due(void);
/* Draws it, cut to the terminal's width, or prints it. */
void progress_show(const char *line);
/* Prints a line that stays. */
void progress_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Fills text with `width` characters of a meter; text: [width + 1]. */
void progress_bar(char *text, int width, double part);
/* "2m10s" */
const char *progress_duration(double seconds, char text[32]);
/* Ends a line that is being redrawn. */
void progress_clear(void);

/* Standard input, output and error, where the parent process closed them: else the next file that is
 * opened would be one of them, and get the messages. */
void descriptors_open(void);

/* SIGINT, SIGTERM, SIGHUP and SIGUSR1 are noted once; a second one has its usual effect. One that is ignored,
 * as nohup has it, stays so. */
void signals_catch(void);
/* The signal that has come, or 0. */
int signals_caught(void);
/* Dies by the signal that was caught, so that the shell sees it. */
void signals_raise(void);
/* As if none had come. */
void signals_forget(void);

/* --- Several processes ---------------------------------------------------------------------------- */

/* The words of --mpi; the first is the default. */
extern const char *const ranks_words[];
#define MPI_HELP "which one connects the processes that mpirun or srun has started; none: each works alone"
/* Joins the other processes, if a launcher has started some; all but the first are silent from here on.
 * `mpi`: the word's number. Fails as caelum_dist_open does. */
int ranks_open(caelum_dist **dist, int mpi, struct caelum_error *err);
/* Exit status of a command that came to its end, or was stopped by a signal. Ranks don't die by it: a
 * launcher takes that for an accident, also where it has passed the signal on. */
int ranks_end(const caelum_dist *dist, bool stopped);

/* --- Commands ------------------------------------------------------------------------------------- */

extern const struct command command_train, command_eval, command_anomaly, command_study, command_compare,
    command_colorize, command_denoise, command_reconstruct, command_encode, command_decode, command_export,
    command_import, command_activations, command_inspect, command_data, command_bench, command_page,
    command_serve, command_help, command_config, command_man, command_completion, command_version;

#endif
