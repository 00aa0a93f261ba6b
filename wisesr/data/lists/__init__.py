"""What a list of images is made of: its text, its cells, its columns, its paths. `wisesr.data.image_list` reads one."""
