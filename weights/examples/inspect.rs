//! Prints what a checkpoint holds: `cargo run -p whisper-weights --example inspect -- PATH`.

fn main() -> whisper_weights::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let checkpoint = whisper_weights::Checkpoint::open(path)?;
    println!("{}: {} bytes", checkpoint.format(), checkpoint.file_size());
    println!("{:?}", checkpoint.dims());
    println!("alignment heads {:?}", checkpoint.alignment_heads());
    for name in checkpoint.tensor_names() {
        let tensor = checkpoint.tensor(name)?;
        println!("{name} {} {:?}", tensor.dtype, tensor.shape);
    }
    Ok(())
}
