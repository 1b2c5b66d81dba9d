//! How the types of other crates stand in a saved state.

/// An instant as nanoseconds.
pub(crate) mod ts {
    use probeline_record::Ts;
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(ts: &Ts, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(ts.nanos())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Ts, D::Error> {
        i64::deserialize(from).map(Ts::from_nanos)
    }
}

/// A protocol as its number.
pub(crate) mod proto {
    use probeline_record::Proto;
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(proto: &Proto, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(proto.0)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Proto, D::Error> {
        u8::deserialize(from).map(Proto)
    }
}

/// TCP flags as their bits.
pub(crate) mod flags {
    use probeline_record::TcpFlags;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(clippy::ref_option, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(flags: &Option<TcpFlags>, to: S) -> Result<S::Ok, S::Error> {
        flags.map(TcpFlags::bits).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TcpFlags>, D::Error> {
        Ok(Option::<u16>::deserialize(from)?.map(TcpFlags::from_bits))
    }
}
