/* jpeg.c - JPEG through libjpeg-turbo. Damage to pixels is an error, also where the library would only
 * warn; what else is odd about a file is passed over. */
#include "base/mem.h"
#include "image/image.h"

#include <stdio.h> /* jpeglib.h needs FILE */

#include <jpeglib.h>

#include <jerror.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

struct handler {
    struct jpeg_error_mgr base; /* first: libjpeg hands back its address */
    jmp_buf back;
    bool ended; /* the file ends before its end is marked */
    char text[JMSG_LENGTH_MAX];
};

static void on_error(j_common_ptr info) {
    struct handler *h = (struct handler *)info->err;
    info->err->format_message(info, h->text);
    longjmp(h->back, 1);
}

/* Whether a warning is about pixels that the file doesn't have. */
static bool is_loss(j_common_ptr info) {
    const struct jpeg_error_mgr *e = info->err;
    switch (e->msg_code) {
    case JWRN_ADOBE_XFORM:    /* an unknown color transform: taken as YCbCr */
    case JWRN_BOGUS_ICC:      /* a profile in parts that don't fit together: left out */
    case JWRN_JFIF_MAJOR:     /* an unknown revision of JFIF */
    case JWRN_NOT_SEQUENTIAL: /* parameters of a scan that mean nothing in this kind of file, and are not 0,
                                 63 */
    case JWRN_JPEG_EOF:       /* what is missing shows when pixels are taken from there, and in is_whole */
        return false;
    case JWRN_EXTRANEOUS_DATA: /* bytes before a marker; within pixels, where restarts are, they are lost ones
                                */
        return e->msg_parm.i[1] >= JPEG_RST0 && e->msg_parm.i[1] <= JPEG_RST0 + 7;
    case JWRN_BOGUS_PROGRESSION: /* a scan once more, or bits of numbers whose upper ones are missing */
        return ((j_decompress_ptr)info)->Ah != 0;
    default:
        return true;
    }
}

/* Level -1 is a warning about damaged data; others are chatter. */
static void on_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    if (info->err->msg_code == JWRN_JPEG_EOF) ((struct handler *)info->err)->ended = true;
    if (is_loss(info)) on_error(info);
}

/* Whether scans have brought all colors, and where the file ends before it should, every bit of a progressive
 * one's. Otherwise libjpeg says nothing. */
static bool is_whole(const struct jpeg_decompress_struct *info) {
    const bool ended = ((const struct handler *)info->err)->ended;
    for (int c = 0; c < info->num_components; c++) {
        if (!info->comp_info[c].quant_table) return false;
        for (int i = 0; ended && info->coef_bits && i < DCTSIZE2; i++)
            if (info->coef_bits[c][i] != 0) return false;
    }
    return true;
}

/* 1 if no APP1 segment says otherwise. */
static unsigned orientation(const struct jpeg_decompress_struct *info) {
    for (const struct jpeg_marker_struct *m = info->marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length >= 6 && memcmp(m->data, "Exif\0\0", 6) == 0)
            return exif_orientation(m->data, m->data_length);
    return 1;
}

/* CMYK as Adobe writes it, inverted: C is 255 - cyan. Without a profile this is the best guess. */
static void cmyk_row(const uint8_t *in, uint8_t *out, size_t width, bool inverted) {
    for (size_t x = 0; x < width; x++)
        for (size_t c = 0; c < 3; c++) {
            const unsigned ink = in[4 * x + c], key = in[4 * x + 3];
            out[3 * x + c] = (uint8_t)(inverted ? ink * key / 255 : (255 - ink) * (255 - key) / 255);
        }
}

/* What outlives a longjmp: it belongs to the caller. */
struct work {
    struct caelum_picture picture;
    struct icc *icc;
    uint8_t *row; /* of pixels that are not RGB */
};

/* Looks for a profile, then chooses what libjpeg is to give: CMYK, RGB, or grey where a grey profile wants
 * it. Grey pixels go with an RGB profile too, as RGB. */
static void choose_pixels(struct jpeg_decompress_struct *info, struct work *work) {
    const bool cmyk = info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
    JOCTET *profile = NULL;
    unsigned size = 0;
    const bool found = jpeg_read_icc_profile(info, &profile, &size);
    info->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    if (found && info->jpeg_color_space == JCS_GRAYSCALE) {
        work->icc = icc_open(profile, size, (struct icc_pixels){.space = ICC_GREY});
        if (work->icc) info->out_color_space = JCS_GRAYSCALE;
    }
    if (found && !work->icc)
        work->icc = icc_open(profile, size,
                             (struct icc_pixels){.space = cmyk ? ICC_CMYK : ICC_RGB,
                                                 .inverted = cmyk && info->saw_Adobe_marker});
    free(profile);
}

/* A block of pixels takes at least one bit, coded by arithmetic less. */
static int check_size(const struct jpeg_decompress_struct *info, const char *path, size_t size,
                      struct caelum_error *err) {
    double blocks = 0;
    CHECK(image_check_size(path, info->image_width, info->image_height, err));
    for (int c = 0; c < info->num_components; c++)
        blocks += (double)info->comp_info[c].width_in_blocks * info->comp_info[c].height_in_blocks;
    if (info->arith_code ? !image_believable(info->image_width, info->image_height, size)
                         : blocks / 8 > (double)size)
        return image_too_short(path, info->image_width, info->image_height, size, err);
    return CAELUM_OK;
}

static void find_resolution(const struct jpeg_decompress_struct *info, struct caelum_picture *p) {
    const double inch = info->density_unit == 1 ? 1 : info->density_unit == 2 ? 2.54 : 0;
    if (info->saw_JFIF_marker) p->dpi_x = info->X_density * inch, p->dpi_y = info->Y_density * inch;
}

/* Everything that may longjmp. */
static int decode(struct jpeg_decompress_struct *info, struct work *work, const char *path, size_t size,
                  struct caelum_error *err) {
    struct caelum_picture *p = &work->picture;
    jpeg_save_markers(info, JPEG_APP0 + 1, 0xffff);
    jpeg_save_markers(info, JPEG_APP0 + 2, 0xffff);
    jpeg_read_header(info, TRUE);
    CHECK(check_size(info, path, size, err));
    choose_pixels(info, work);
    info->dct_method = JDCT_ISLOW;
    jpeg_start_decompress(info);
    CHECK(image_allocate(p, path, info->output_width, info->output_height, err));
    CHECK(mem_alloc(&work->row, p->width, 4, err));
    find_resolution(info, p);
    while (info->output_scanline < info->output_height) {
        uint8_t *to = p->pixels + (size_t)info->output_scanline * p->width * 3;
        JSAMPROW line = info->out_color_space == JCS_RGB ? to : work->row;
        jpeg_read_scanlines(info, &line, 1);
        if (work->icc)
            icc_row(work->icc, line, to, p->width);
        else if (line != to)
            cmyk_row(line, to, p->width, info->saw_Adobe_marker);
    }
    const unsigned o = orientation(info);
    if (!is_whole(info)) return caelum_fail(err, CAELUM_EFORMAT, "%s: damaged JPEG: scans are missing", path);
    return exif_turn(p, path, o, err);
}

int jpeg_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
                struct caelum_error *err) {
    struct jpeg_decompress_struct info;
    struct handler handler;
    struct work work = {0}; /* reached through pointers, so longjmp leaves it as it is */
    int result;
    info.err = jpeg_std_error(&handler.base);
    handler.base.error_exit = on_error;
    handler.base.emit_message = on_message;
    handler.ended = false;
    jpeg_create_decompress(&info);
    if (setjmp(handler.back) != 0) {
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: damaged JPEG: %s", path, handler.text);
    } else {
        jpeg_mem_src(&info, bytes, size);
        result = decode(&info, &work, path, size, err);
    }
    jpeg_destroy_decompress(&info);
    icc_close(&work.icc);
    mem_free(&work.row);
    if (result == 0)
        *picture = work.picture;
    else
        caelum_picture_free(&work.picture);
    return result;
}

/* Where libjpeg writes: a buffer, emptied into the sink. */
struct target {
    struct jpeg_destination_mgr base; /* first: libjpeg hands back its address */
    struct image_sink *sink;
    struct caelum_error *err;
    int result; /* the sink's */
    JOCTET buffer[1 << 14];
};

static void begin(j_compress_ptr info) {
    struct target *t = (struct target *)info->dest;
    t->base.next_output_byte = t->buffer;
    t->base.free_in_buffer = sizeof t->buffer;
}
static void empty(j_compress_ptr info, size_t n) {
    struct target *t = (struct target *)info->dest;
    t->result = image_sink_add(t->sink, t->buffer, n, t->err);
    if (t->result != 0) longjmp(((struct handler *)info->err)->back, 1);
    begin(info);
}
static boolean on_full(j_compress_ptr info) {
    empty(info, sizeof((struct target *)info->dest)->buffer);
    return TRUE;
}
static void on_end(j_compress_ptr info) {
    empty(info, sizeof((struct target *)info->dest)->buffer - info->dest->free_in_buffer);
}

static UINT16 density(double dpi) {
    return dpi < UINT16_MAX ? (UINT16)(dpi + 0.5) : UINT16_MAX;
}

/* Everything that may longjmp. Colors in full resolution: half of it, the library's own choice, smears red
 * edges, and a network's output deserves better. */
static void encode(struct jpeg_compress_struct *info, const struct caelum_picture *p) {
    info->image_width = (JDIMENSION)p->width;
    info->image_height = (JDIMENSION)p->height;
    info->input_components = 3;
    info->in_color_space = JCS_RGB;
    jpeg_set_defaults(info);
    jpeg_set_quality(info, 92, TRUE);
    info->comp_info[0].h_samp_factor = info->comp_info[0].v_samp_factor = 1;
    info->dct_method = JDCT_ISLOW;
    if (p->dpi_x > 0 && p->dpi_y > 0) {
        info->density_unit = 1;
        info->X_density = density(p->dpi_x);
        info->Y_density = density(p->dpi_y);
    }
    jpeg_start_compress(info, TRUE);
    while (info->next_scanline < info->image_height) {
        JSAMPROW row = p->pixels + (size_t)info->next_scanline * p->width * 3;
        jpeg_write_scanlines(info, &row, 1);
    }
    jpeg_finish_compress(info);
}

int jpeg_encode(const struct caelum_picture *picture, struct image_sink *sink, struct caelum_error *err) {
    struct jpeg_compress_struct info;
    struct handler handler;
    struct target target = {
        {.init_destination = begin, .empty_output_buffer = on_full, .term_destination = on_end},
        sink,
        err,
        CAELUM_OK,
        {0}};
    int result;
    info.err = jpeg_std_error(&handler.base);
    handler.base.error_exit = on_error;
    handler.base.emit_message = on_message;
    jpeg_create_compress(&info);
    info.dest = &target.base;
    if (setjmp(handler.back) != 0) {
        result = target.result;
        if (result == 0)
            result = caelum_fail(err, CAELUM_EUSAGE, "%zux%zu pixels can't be written as JPEG: %s",
                                 picture->width, picture->height, handler.text);
    } else {
        encode(&info, picture);
        result = CAELUM_OK;
    }
    jpeg_destroy_compress(&info);
    return result;
}
