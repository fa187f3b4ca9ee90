//! The weights of decoded channels, by the positions of their loudspeakers.

use symphonia::core::audio::{Channels, Position};

use crate::audio::downmix::{BASS, CENTRE, Downmix, FRONT, SURROUND};

impl Downmix {
    /// The mix for decoded channels: by their positions where the file has them, else by their count.
    pub(super) fn new(channels: &Channels) -> Downmix {
        match channels {
            Channels::Positioned(positions) => Downmix::for_positions(*positions),
            other => Downmix::for_count(other.count()),
        }
    }

    /// Decoders give positioned channels in ascending order of their position's bit.
    fn for_positions(positions: Position) -> Downmix {
        Downmix::from_weights(positions.iter().map(weight).collect())
    }
}

/// The weight of one loudspeaker.
fn weight(position: Position) -> f64 {
    let front_sides = Position::FRONT_LEFT
        | Position::FRONT_RIGHT
        | Position::FRONT_LEFT_CENTER
        | Position::FRONT_RIGHT_CENTER;
    if position == Position::FRONT_CENTER {
        CENTRE
    } else if front_sides.contains(position) {
        FRONT
    } else if (Position::LFE1 | Position::LFE2).contains(position) {
        BASS
    } else {
        SURROUND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_usual_layouts_are_what_their_count_stands_for() {
        use Position as P;
        let front = P::FRONT_LEFT | P::FRONT_RIGHT;
        let five = front | P::FRONT_CENTER | P::LFE1 | P::SIDE_LEFT | P::SIDE_RIGHT;
        for positions in [
            P::FRONT_CENTER,
            front,
            front | P::LFE1,
            front | P::FRONT_CENTER | P::REAR_CENTER,
            front | P::FRONT_CENTER | P::REAR_LEFT | P::REAR_RIGHT,
            five,
            five | P::REAR_CENTER,
            five | P::REAR_LEFT | P::REAR_RIGHT,
        ] {
            let by_position = Downmix::new(&Channels::Positioned(positions));
            let by_count = Downmix::for_count(positions.iter().count());
            assert_eq!(by_position, by_count, "{positions:?}");
        }
    }
}
