"""What pictures and defects are drawn with: smooth noise, strokes, displacements. Arrays are float, [row][column]."""
import numpy
from PIL import Image, ImageDraw, ImageFilter


def blur(x, sigma):
    """Gaussian of `sigma` pixels (one number, or one for rows and one for columns); edges are mirrored."""
    sigmas = numpy.broadcast_to(sigma, 2)
    margin = [min(int(4 * s) + 1, n - 1) for s, n in zip(sigmas, x.shape)]
    padded = numpy.pad(x, [(m, m) for m in margin], "symmetric")
    passes = [numpy.exp(-2 * (numpy.pi * s * f(n)) ** 2)
              for s, f, n in zip(sigmas, (numpy.fft.fftfreq, numpy.fft.rfftfreq), padded.shape)]
    smooth = numpy.fft.irfft2(numpy.fft.rfft2(padded) * numpy.outer(*passes), padded.shape)
    return smooth[margin[0]:margin[0] + x.shape[0], margin[1]:margin[1] + x.shape[1]]


def noise(shape, sigma, rng):
    """Smooth noise of mean 0 and deviation 1, with structures of about `sigma` pixels."""
    smooth = blur(rng.standard_normal(shape), sigma)
    return (smooth - smooth.mean()) / smooth.std()


def step(x):
    """0 below 0, 1 above 1, smooth between."""
    x = numpy.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def strokes(shape, paths, fine=4):
    """Polylines with soft edges, 0 to 1. A path is a list of (row, column, width): each piece has its own width."""
    canvas = Image.new("L", (shape[1] * fine, shape[0] * fine))
    draw = ImageDraw.Draw(canvas)
    for path in paths:
        for (y0, x0, width), (y1, x1, _) in zip(path, path[1:]):
            ends = [(fine * x0, fine * y0), (fine * x1, fine * y1)]
            draw.line(ends, fill=255, width=max(1, round(fine * width)))
    return numpy.asarray(canvas.reduce(fine)) / 255


def closed(mask, size=5):
    """The mask with gaps narrower than `size` pixels filled."""
    grown = Image.fromarray(mask.astype(numpy.uint8)).filter(ImageFilter.MaxFilter(size))
    return numpy.asarray(grown.filter(ImageFilter.MinFilter(size))) > 0


def displaced(picture, down, right):
    """The picture [row][column][channel] moved by so much at each pixel; linear between pixels, edges repeated."""
    rows, columns = numpy.indices(down.shape)
    y = numpy.clip(rows - down, 0, down.shape[0] - 1.001)
    x = numpy.clip(columns - right, 0, down.shape[1] - 1.001)
    y0, x0 = y.astype(int), x.astype(int)
    fy, fx = (y - y0)[..., None], (x - x0)[..., None]
    upper = picture[y0, x0] * (1 - fx) + picture[y0, x0 + 1] * fx
    lower = picture[y0 + 1, x0] * (1 - fx) + picture[y0 + 1, x0 + 1] * fx
    return upper * (1 - fy) + lower * fy


def inside(distance):
    """How much of a pixel is inside an outline, of its signed distance in pixels, negative inside."""
    return numpy.clip(.5 - distance, 0, 1)


def rectangle(u, v, half_width, half_height, corner):
    """The signed distance from a rectangle around 0 with round corners."""
    du, dv = abs(u) - half_width + corner, abs(v) - half_height + corner
    return numpy.hypot(numpy.maximum(du, 0), numpy.maximum(dv, 0)) + numpy.minimum(numpy.maximum(du, dv), 0) - corner


def paint(picture, amount, color):
    """The picture with a color laid over it."""
    return picture + amount[..., None] * (numpy.asarray(color) - picture)
