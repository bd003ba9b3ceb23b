//! Where a connection stands, for people and for programs.

use books::standing::{LightView, Standing};
use owo_colors::{OwoColorize, Stream};

use crate::cli::Format;
use crate::error::CommandError;
use crate::output;

/// Prints it.
pub(crate) fn tell(standing: &Standing, format: Format) -> Result<(), CommandError> {
    if format == Format::Json {
        return output::json(standing);
    }
    let connected = if standing.connected { "yes" } else { "no" };
    output::table(&[
        ("portfolio", &standing.portfolio),
        ("connection", standing.connection.as_str()),
        ("address", &standing.base_url),
        ("client id", &standing.client_id),
        ("connected", connected),
    ])?;
    for (name, light) in named(standing) {
        output::line(format_args!("{name:8} {}  {}", color(light), light.message))?;
    }
    Ok(())
}

fn color(light: &LightView) -> String {
    if light.ok {
        let green = "green".if_supports_color(Stream::Stdout, |word| word.green());
        format!("{green}")
    } else {
        let red = "red".if_supports_color(Stream::Stdout, |word| word.red());
        format!("{red}  ")
    }
}

fn named(standing: &Standing) -> [(&'static str, &LightView); 2] {
    let lights = &standing.lights;
    [("Admin", &lights.admin), ("OAuth", &lights.oauth)]
}

/// Whether all is well; else the command ends with an exit code of its own.
pub(crate) fn are_green(standing: &Standing) -> Result<(), CommandError> {
    let red = named(standing).into_iter().filter(|(_, light)| !light.ok);
    let red: Vec<_> = red.map(|(name, _)| name).collect();
    if red.is_empty() {
        return Ok(());
    }
    Err(CommandError::NotWell(format!(
        "red: {}; do what is said there, then: nightaudit refresh",
        red.join(", ")
    )))
}
