//! The diagram as SVG: one colour, that of the text around it, and nothing loaded from elsewhere.

use std::fmt::{self, Write};

use super::layout::{self, Drawing, Extent, Point, Route, Stop};
use super::sentence::{About, Line, lines};
use super::width::width;
use super::{Arrow, Diagram, Kind, Shown};

const FONT: &str = "'Fira Sans','Segoe UI',Helvetica,Arial,sans-serif";
const NAME_SIZE: f64 = 14.0;
const EVENT_SIZE: f64 = 12.0;
const CAUSE_SIZE: f64 = 11.0;
/// The distances from one line of a label to the next.
const EVENT_LINE: f64 = 16.0;
const CAUSE_LINE: f64 = 14.0;
/// What is left free around the text of a label and of a state.
const LABEL_PADDING: (f64, f64) = (9.0, 6.0);
const STATE_PADDING: f64 = 18.0;
const STATE_HEIGHT: f64 = 36.0;
const DOT: f64 = 7.0;
/// The tick before an approval.
const TICK: f64 = 13.0;
/// How far the label of a loop is from its state, and how far apart the two lines are.
const LOOP: f64 = 30.0;
const LOOP_LINES: f64 = 7.0;
const HEAD: (f64, f64) = (4.0, 8.0);
const MARGIN: f64 = 8.0;
/// What nobody sees as a bend.
const BEND: f64 = 0.6;

/// The picture of the diagram.
pub(super) fn svg(diagram: &Diagram) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = Picture::of(diagram).write(&mut text);
    text
}

/// Everything that is drawn, in its place.
pub(super) struct Picture<'d> {
    diagram: &'d Diagram,
    drawing: Drawing,
    pub(super) labels: Vec<Label<'d>>,
}

/// The label of an arrow.
pub(super) struct Label<'d> {
    arrow: &'d Arrow,
    lines: Vec<Line>,
    extent: Extent,
    middle: Point,
}

impl Label<'_> {
    fn of(arrow: &Arrow) -> Label<'_> {
        let lines: Vec<_> = arrow.events.iter().flat_map(lines).collect();
        let widest = lines.iter().map(line_width).fold(0.0, f64::max);
        let height: f64 = lines.iter().map(line_height).sum();
        let extent = Extent::centred(widest + 2.0 * LABEL_PADDING.0, height + 2.0 * LABEL_PADDING.1);
        Label { arrow, lines, extent, middle: Point { x: 0.0, y: 0.0 } }
    }
}

fn line_height(line: &Line) -> f64 {
    match line.about {
        About::Event => EVENT_LINE,
        About::Cause | About::Approval => CAUSE_LINE,
    }
}

fn line_width(line: &Line) -> f64 {
    match line.about {
        About::Event => width(&line.text, EVENT_SIZE) * 1.05,
        About::Cause => width(&line.text, CAUSE_SIZE),
        About::Approval => width(&line.text, CAUSE_SIZE) + TICK,
    }
}

fn state_width(place: &Shown) -> f64 {
    match place.kind {
        Kind::New => 2.0 * DOT,
        Kind::State | Kind::Final => width(&place.name, NAME_SIZE) * 1.05 + 2.0 * STATE_PADDING,
    }
}

fn state_height(place: &Shown) -> f64 {
    if place.kind == Kind::New { 2.0 * DOT } else { STATE_HEIGHT }
}

impl<'d> Picture<'d> {
    /// Loops are drawn beside their state, as a part of it: approved ones to the left, the others to the right.
    pub(super) fn of(diagram: &'d Diagram) -> Self {
        let (loops, arrows): (Vec<_>, Vec<_>) = diagram.arrows.iter().partition(|arrow| arrow.from == arrow.to);
        let mut loops: Vec<Label<'d>> = loops.into_iter().map(Label::of).collect();
        let mut labels: Vec<Label<'d>> = arrows.into_iter().map(Label::of).collect();
        let boxes = diagram.places.iter().enumerate().map(|(number, place)| {
            let mut extent = Extent::centred(state_width(place), state_height(place));
            for own in loops.iter().filter(|own| own.arrow.from == number) {
                let side = if own.arrow.approved { &mut extent.left } else { &mut extent.right };
                *side += LOOP + own.extent.width();
                extent.height = extent.height.max(own.extent.height);
            }
            extent
        });
        let arrow =
            |label: &Label<'d>| layout::Arrow { from: label.arrow.from, to: label.arrow.to, label: label.extent };
        let arrows: Vec<_> = labels.iter().map(arrow).collect();
        let drawing = layout::draw(&boxes.collect::<Vec<_>>(), &arrows);
        for (label, middle) in labels.iter_mut().zip(&drawing.labels) {
            label.middle = *middle;
        }
        for own in &mut loops {
            let state = diagram.places.get(own.arrow.from).map_or(0.0, state_width);
            let middle = drawing.boxes.get(own.arrow.from).copied().unwrap_or(own.middle);
            let distance = state / 2.0 + LOOP + own.extent.right;
            own.middle = Point { x: middle.x + if own.arrow.approved { -distance } else { distance }, y: middle.y };
        }
        labels.extend(loops);
        Self { diagram, drawing, labels }
    }

    /// Each rectangle that nothing else may be drawn into: left, top, right, bottom.
    #[cfg(test)]
    pub(super) fn rectangles(&self) -> Vec<[f64; 4]> {
        let around = |middle: &Point, width: f64, height: f64| {
            [middle.x - width / 2.0, middle.y - height / 2.0, middle.x + width / 2.0, middle.y + height / 2.0]
        };
        let states = self.diagram.places.iter().zip(&self.drawing.boxes);
        let states = states.map(|(place, middle)| around(middle, state_width(place), state_height(place)));
        let labels = self.labels.iter().map(|label| around(&label.middle, label.extent.width(), label.extent.height));
        states.chain(labels).collect()
    }

    #[cfg(test)]
    pub(super) fn drawing(&self) -> &Drawing {
        &self.drawing
    }

    fn write(&self, text: &mut String) -> fmt::Result {
        let (width, height) = (self.drawing.width + 2.0 * MARGIN, self.drawing.height + 2.0 * MARGIN);
        let (least, title) = (width * 0.7, escaped(&format!("The states of {}", self.diagram.title())));
        write!(
            text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"{0:.0} {0:.0} {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" \
             style=\"display:block;margin:0 auto;max-width:100%;min-width:{least:.0}px;height:auto\" \
             font-family=\"{FONT}\" font-size=\"{CAUSE_SIZE}\" fill=\"currentColor\"><title>{title}</title>",
            -MARGIN
        )?;
        self.write_arrows(text)?;
        self.write_labels(text)?;
        self.write_states(text)?;
        text.push_str("</svg>");
        Ok(())
    }
}

impl Picture<'_> {
    fn write_arrows(&self, text: &mut String) -> fmt::Result {
        let mut heads = String::new();
        text.push_str("<g fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.3\" stroke-opacity=\".6\">");
        let (direct, loops) = self.labels.split_at(self.drawing.routes.len().min(self.labels.len()));
        for (label, route) in direct.iter().zip(&self.drawing.routes) {
            text.push_str("<path d=\"");
            write_route(text, &mut heads, route)?;
            text.push_str(if label.arrow.approved { "\" stroke-dasharray=\"5 4\"/>" } else { "\"/>" });
        }
        for label in loops {
            let side = if label.arrow.approved { -1.0 } else { 1.0 };
            let far = label.middle.x - side * label.extent.right;
            let near = far - side * LOOP;
            let (out, back) = (label.middle.y - LOOP_LINES, label.middle.y + LOOP_LINES);
            let end = near + side * HEAD.1;
            write!(text, "<path d=\"M{near:.1} {out:.1}H{far:.1}M{far:.1} {back:.1}H{end:.1}")?;
            text.push_str(if label.arrow.approved { "\" stroke-dasharray=\"5 4\"/>" } else { "\"/>" });
            let (up, down) = (back - HEAD.0, back + HEAD.0);
            write!(heads, "M{near:.1} {back:.1}L{end:.1} {up:.1}V{down:.1}z")?;
        }
        text.push_str("</g>");
        write!(text, "<path fill-opacity=\".75\" d=\"{heads}\"/>")
    }

    fn write_labels(&self, text: &mut String) -> fmt::Result {
        for label in &self.labels {
            let (left, top) = (label.middle.x - label.extent.left, label.middle.y - label.extent.height / 2.0);
            let outline = if label.arrow.approved {
                " stroke=\"currentColor\" stroke-opacity=\".55\" stroke-dasharray=\"5 4\""
            } else {
                ""
            };
            write!(
                text,
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\" \
                 fill-opacity=\".07\"{outline}/>",
                label.extent.width(),
                label.extent.height
            )?;
        }
        text.push_str("<g text-anchor=\"middle\">");
        let mut ticks = String::new();
        for label in &self.labels {
            let mut y = label.middle.y - label.extent.height / 2.0 + LABEL_PADDING.1;
            for line in &label.lines {
                y += line_height(line);
                write_line(text, &mut ticks, label.middle.x, y - 4.0, line)?;
            }
        }
        text.push_str("</g>");
        write!(text, "<path d=\"{ticks}\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.6\"/>")
    }

    fn write_states(&self, text: &mut String) -> fmt::Result {
        for (place, middle) in self.diagram.places.iter().zip(&self.drawing.boxes) {
            let (width, height) = (state_width(place), state_height(place));
            let Point { x, y } = middle;
            if place.kind == Kind::New {
                write!(text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{DOT}\"/>")?;
                continue;
            }
            write!(text, "<g data-state=\"{}\">", escaped(&place.wire))?;
            write_frame(text, *middle, width, height, 10.0, ".1")?;
            if place.kind == Kind::Final {
                write_frame(text, *middle, width - 7.0, height - 7.0, 7.0, "0")?;
            }
            write!(
                text,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"{NAME_SIZE}\" \
                 font-weight=\"500\">{}</text></g>",
                y + 5.0,
                escaped(&place.name)
            )?;
        }
        Ok(())
    }
}

impl Diagram {
    fn title(&self) -> String {
        if self.entity.is_empty() { self.domain.clone() } else { format!("{} in {}", self.entity, self.domain) }
    }
}

fn write_frame(text: &mut String, middle: Point, width: f64, height: f64, corner: f64, fill: &str) -> fmt::Result {
    let (left, top) = (middle.x - width / 2.0, middle.y - height / 2.0);
    write!(
        text,
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{corner}\" \
         fill-opacity=\"{fill}\" stroke=\"currentColor\" stroke-width=\"1.3\"/>"
    )
}

fn write_line(text: &mut String, ticks: &mut String, x: f64, y: f64, line: &Line) -> fmt::Result {
    let line_text = escaped(&line.text);
    match line.about {
        About::Event => write!(
            text,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{EVENT_SIZE}\" font-weight=\"500\">{line_text}</text>"
        ),
        About::Cause => write!(text, "<text x=\"{x:.1}\" y=\"{y:.1}\" fill-opacity=\".8\">{line_text}</text>"),
        About::Approval => {
            let left = x - line_width(line) / 2.0 + 3.0;
            write!(ticks, "M{left:.1} {:.1}l3 3 5.5-6.5", y - 3.5)?;
            let start = left + TICK;
            write!(text, "<text x=\"{start:.1}\" y=\"{y:.1}\" text-anchor=\"start\">{line_text}</text>")
        }
    }
}

fn write_route(text: &mut String, heads: &mut String, route: &Route) -> fmt::Result {
    let (half, length) = HEAD;
    let mut upper = route.upper.clone();
    let mut lower = route.lower.clone();
    if route.upward {
        if let Some(first) = upper.first_mut() {
            write!(heads, "M{:.1} {:.1}l{half} {length}h-{}z", first.x, first.top, half * 2.0)?;
            first.top += length;
            first.bottom = first.bottom.max(first.top);
        }
    } else if let Some(last) = lower.last_mut() {
        write!(heads, "M{:.1} {:.1}l{half}-{length}h-{}z", last.x, last.bottom, half * 2.0)?;
        last.bottom -= length;
        last.top = last.top.min(last.bottom);
    }
    write_stops(text, &upper)?;
    write_stops(text, &lower)
}

fn write_stops(text: &mut String, stops: &[Stop]) -> fmt::Result {
    let Some(first) = stops.first() else { return Ok(()) };
    write!(text, "M{} {}", Short(first.x), Short(first.top))?;
    let mut before = *first;
    for stop in stops.iter().skip(1) {
        if (stop.x - before.x).abs() >= BEND {
            let middle = Short(before.bottom.midpoint(stop.top));
            let (from, to) = (Short(before.x), Short(stop.x));
            write!(text, "V{}C{from} {middle} {to} {middle} {to} {}", Short(before.bottom), Short(stop.top))?;
            before = *stop;
        }
        before.bottom = stop.bottom;
    }
    write!(text, "V{}", Short(before.bottom))
}

/// A number with at most one decimal.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.1}", self.0);
        formatter.write_str(text.strip_suffix(".0").unwrap_or(&text))
    }
}

/// The text as a browser shows it.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}
