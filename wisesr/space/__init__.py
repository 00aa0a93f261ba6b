"""What cells take on the disk, what of it nobody needs any more, and how it goes. No torch."""
