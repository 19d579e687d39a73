//! Colours and type of the picture, light and dark. Plain rules without variables, which not
//! every program that shows SVG knows.

use super::COLOURS;

/// The colours of one appearance.
struct Theme {
    ink: &'static str,
    soft: &'static str,
    line: &'static str,
    paper: &'static str,
    /// For places, the last for all others.
    places: [&'static str; COLOURS],
}

const LIGHT: Theme = Theme {
    ink: "#1d2a24",
    soft: "#5d6b64",
    line: "#d9dfda",
    paper: "#fbfcfa",
    places: [
        "#2a72b8", "#d9730d", "#3a9a5b", "#b5478f", "#8067c9", "#a88412", "#1f9aa5", "#8a938e",
    ],
};

const DARK: Theme = Theme {
    ink: "#e8eee9",
    soft: "#9daba3",
    line: "#2c3832",
    paper: "#131a16",
    places: [
        "#62a8ea", "#f2994a", "#62c584", "#e07fbd", "#ab97f0", "#d8b53f", "#4cc5d0", "#7f8a84",
    ],
};

/// What does not depend on the appearance.
const SHAPES: &str = "
.forest{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',sans-serif}
.forest text{font-size:19px}
.forest .title{font-size:28px;font-weight:650}
.forest .count{font-size:16px}
.forest .hubname{font-weight:650}
.forest .halo{stroke-width:5px;paint-order:stroke;stroke-linejoin:round}
.forest .ring{fill:none;stroke-width:1.5}
.forest .link{fill:none;stroke-linecap:round;opacity:.42}
.forest .fan{opacity:.17}
.forest .dot{fill:none;stroke-linecap:round}
.forest .square{stroke-linecap:square}
.forest .bar{opacity:.55}
";

/// All rules of the picture.
pub(super) fn rules() -> String {
    let dark = colours(&DARK);
    format!("{SHAPES}{}@media(prefers-color-scheme:dark){{\n{dark}}}\n", colours(&LIGHT))
}

fn colours(theme: &Theme) -> String {
    let Theme { ink, soft, line, paper, places } = theme;
    let places = places.iter().enumerate().map(|(i, colour)| {
        format!(".forest .s{i}{{stroke:{colour}}}.forest .f{i}{{fill:{colour}}}\n")
    });
    format!(
        ".forest .paper{{fill:{paper}}}\n\
         .forest text,.forest .hub{{fill:{ink}}}\n\
         .forest .soft,.forest .count,.forest .bar{{fill:{soft}}}\n\
         .forest .hubname{{fill:{paper}}}\n\
         .forest .ring{{stroke:{line}}}\n\
         .forest .halo,.forest .hole{{stroke:{paper}}}\n{}",
        places.collect::<String>()
    )
}
