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

static struct jpeg_error_mgr *errors_to(struct handler *handler) {
    struct jpeg_error_mgr *errors = jpeg_std_error(&handler->base);
    errors->error_exit = on_error;
    errors->emit_message = on_message;
    handler->ended = false;
    return errors;
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

/* Looks for a profile, then chooses what libjpeg is to give: CMYK, RGB, or grey where a grey profile wants
 * it. Grey pixels go with an RGB profile too, as RGB. */
static void choose_pixels(struct jpeg_decompress_struct *info, struct decoding *d) {
    const bool cmyk = info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
    JOCTET *profile = NULL;
    unsigned size = 0;
    const bool found = jpeg_read_icc_profile(info, &profile, &size);
    info->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    if (found && info->jpeg_color_space == JCS_GRAYSCALE) {
        d->icc = icc_open(profile, size, (struct icc_pixels){.space = ICC_GREY});
        if (d->icc) info->out_color_space = JCS_GRAYSCALE;
    }
    if (found && !d->icc)
        d->icc = icc_open(profile, size,
                          (struct icc_pixels){.space = cmyk ? ICC_CMYK : ICC_RGB,
                                              .inverted = cmyk && info->saw_Adobe_marker});
    free(profile);
}

/* A block of pixels takes at least one bit, coded by arithmetic less. */
static double least_bytes(const struct jpeg_decompress_struct *info) {
    double blocks = 0;
    if (info->arith_code) return 0;
    for (int c = 0; c < info->num_components; c++)
        blocks += (double)info->comp_info[c].width_in_blocks * info->comp_info[c].height_in_blocks;
    return blocks / 8;
}

static void find_resolution(const struct jpeg_decompress_struct *info, struct caelum_picture *p) {
    const double inch = info->density_unit == 1 ? 1 : info->density_unit == 2 ? 2.54 : 0;
    if (info->saw_JFIF_marker) p->dpi_x = info->X_density * inch, p->dpi_y = info->Y_density * inch;
}

/* Everything that may longjmp. */
static int decode(struct jpeg_decompress_struct *info, struct decoding *d, struct caelum_error *err) {
    jpeg_save_markers(info, JPEG_APP0 + 1, 0xffff);
    jpeg_save_markers(info, JPEG_APP0 + 2, 0xffff);
    jpeg_read_header(info, TRUE);
    CHECK(image_begin(d, info->image_width, info->image_height, least_bytes(info), err));
    CHECK(mem_alloc(&d->rows, d->picture.width, 4, err));
    choose_pixels(info, d);
    find_resolution(info, &d->picture);
    info->dct_method = JDCT_ISLOW;
    jpeg_start_decompress(info);
    while (info->output_scanline < info->output_height) {
        const size_t y = info->output_scanline;
        JSAMPROW row = d->rows;
        jpeg_read_scanlines(info, &row, 1);
        if (info->out_color_space == JCS_CMYK && !d->icc)
            cmyk_row(row, d->picture.pixels + y * d->picture.width * 3, d->picture.width,
                     info->saw_Adobe_marker);
        else
            image_row(d, y, row);
    }
    d->orientation = orientation(info);
    if (!is_whole(info))
        return caelum_fail(err, CAELUM_EFORMAT, "%s: damaged JPEG: scans are missing", d->path);
    return CAELUM_OK;
}

int jpeg_decode(struct decoding *d, struct caelum_error *err) {
    struct jpeg_decompress_struct info;
    struct handler handler;
    int result;
    info.err = errors_to(&handler);
    jpeg_create_decompress(&info);
    if (setjmp(handler.back) != 0) {
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: damaged JPEG: %s", d->path, handler.text);
    } else {
        jpeg_mem_src(&info, d->bytes, d->size);
        result = decode(&info, d, err);
    }
    jpeg_destroy_decompress(&info);
    return result;
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

int jpeg_encode(const struct caelum_picture *picture, FILE *to, struct caelum_error *err) {
    struct jpeg_compress_struct info;
    struct handler handler;
    int result;
    info.err = errors_to(&handler);
    jpeg_create_compress(&info);
    if (setjmp(handler.back) != 0) {
        result = caelum_fail(err, CAELUM_EUSAGE, "%zux%zu pixels can't be written as JPEG: %s",
                             picture->width, picture->height, handler.text);
    } else {
        jpeg_stdio_dest(&info, to);
        encode(&info, picture);
        result = CAELUM_OK;
    }
    jpeg_destroy_compress(&info);
    return result;
}
