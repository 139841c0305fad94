// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {INodes} from "src-contracts/interfaces/INodes.sol";
import {Node} from "src-contracts/types/Node.sol";

/// @notice Registering and changing nodes.
abstract contract Nodes is MarketCore, INodes {
    /* OWNER */

    /// @inheritdoc INodes
    function register(address operator, uint32 runtimes, bytes32 key, string calldata endpoint)
        external
        returns (uint32 id)
    {
        id = ++_nodeCount;
        Node storage n = _nodes[id];
        n.owner = msg.sender;
        n.record = Parameters.RECORD_START;
        _set(id, n, operator, runtimes, key, endpoint);
    }

    /// @inheritdoc INodes
    function setNode(uint32 id, address operator, uint32 runtimes, bytes32 key, string calldata endpoint) external {
        Node storage n = _owned(id);
        _set(id, n, operator, runtimes, key, endpoint);
    }

    /// @inheritdoc INodes
    function setEndpoint(uint32 id, string calldata endpoint) external {
        Node storage n = _nodes[id];
        require(msg.sender == n.operator || msg.sender == n.owner, NotNodeOperator(id, msg.sender));
        require(bytes(endpoint).length <= Parameters.MAX_ENDPOINT_BYTES, EndpointTooLong(bytes(endpoint).length));

        n.endpoint = endpoint;

        emit NodeSet(id, n.owner, n.operator, n.runtimes, n.key, endpoint, n.since);
    }

    /* VIEWS */

    /// @inheritdoc INodes
    function node(uint32 id) external view returns (Node memory) {
        require(_nodes[id].owner != address(0), NodeUnknown(id));
        return _nodes[id];
    }

    /// @inheritdoc INodes
    function nodeOf(address operator) external view returns (uint32) {
        return _nodeOf[operator];
    }

    /// @inheritdoc INodes
    function runtime(uint8 id) external view returns (uint96 stake_, bool allowed) {
        return (_runtimeStake[id], id != 0 && _gate.runtimes & (uint256(1) << id) != 0);
    }

    /* INTERNAL */

    function _set(uint32 id, Node storage n, address operator, uint32 runtimes, bytes32 key, string calldata endpoint)
        private
    {
        require(operator != address(0), AddressZero());
        // Bit 0 is no runtime.
        require(runtimes != 0 && runtimes & 1 == 0, RuntimesInvalid(runtimes));
        require(bytes(endpoint).length <= Parameters.MAX_ENDPOINT_BYTES, EndpointTooLong(bytes(endpoint).length));

        if (operator != n.operator) {
            require(_nodeOf[operator] == 0, OperatorTaken(operator, _nodeOf[operator]));
            delete _nodeOf[n.operator];
            _nodeOf[operator] = id;
            n.operator = operator;
        }
        if (runtimes != n.runtimes) {
            _moveStake(n.runtimes, n.stake, 0);
            n.runtimes = runtimes;
            _moveStake(runtimes, 0, n.stake);
            n.since = uint40(block.timestamp);
        }
        n.key = key;
        n.endpoint = endpoint;

        emit NodeSet(id, n.owner, operator, runtimes, key, endpoint, n.since);
    }

    function _owned(uint32 id) internal view returns (Node storage n) {
        n = _nodes[id];
        require(n.owner == msg.sender, NotNodeOwner(id, msg.sender));
    }
}
