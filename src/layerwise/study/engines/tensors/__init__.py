"""Many networks of one kind trained at once as one program of torch, where lanes cannot.

layers        stacked layers: each holds the parameters of all networks, and keeps their images apart
convolution   a convolution of many networks, as one product of matrices for each
network       TensorNetwork: networks of torch in a stack and back, an epoch, logits
"""
